"""Promotion and retirement of registered models, entered into the ledger.

Assumes that aliases of the MLflow registry are moved by nobody else; the ledger says what was
decided here, and on what.
"""

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..features.errors import LnriskError
from ..features.registry import Registry
from ..model.artifact import RiskModel
from ..model.ledger import Ledger
from ..model.loading import find_model
from .progress import Step
from .promotion import Comparison, compare
from .tracking import connect, holder

__all__ = ["Promoted", "enter_first", "promote", "retire"]


@dataclass(frozen=True)
class Promoted:
    """What came of a promotion.

    Parameters
    ----------
    model : RiskModel
    comparison : Comparison, optional
        None for the first of its name.
    promoted : bool
    """

    model: RiskModel
    comparison: Comparison | None
    promoted: bool


def promote(
    name: str,
    version: str,
    registry: Registry,
    by: str,
    ledger: Path,
    step: Step,
    *,
    alias: str = "champion",
    tracking_uri: str | None = None,
) -> Promoted:
    """Give a registered version the alias, if it is no worse than the one that has it.

    Parameters
    ----------
    name, version : str
        Of the registered model.
    registry : Registry
        Whose folds both are compared on.
    by : str
        Who decides.
    ledger : Path
    step : callable
        Told of the progress.
    alias : str, default="champion"
    tracking_uri : str, optional

    Raises
    ------
    LnriskError
        When MLflow has no such version, or the two answer different questions.
    """
    client = connect(tracking_uri)
    candidate = find_model(f"models:/{name}/{version}", tracking_uri)
    held = _holder(client, name, alias)
    if held == version:
        raise LnriskError(f"version {version} of {name} is the {alias} already.")
    book = Ledger(ledger)
    book.entries()  # an alias is not moved where that could not be entered
    if held is None:
        client.set_registered_model_alias(name, alias, version)
        enter_first(candidate, name, version, by, book, alias=alias)
        return Promoted(candidate, None, True)
    champion = find_model(f"models:/{name}/{held}", tracking_uri)
    found = compare(candidate, champion, registry, step)
    if not found.no_worse:
        return Promoted(candidate, found, False)
    client.set_registered_model_alias(name, alias, version)
    evidence: dict[str, Any] = {
        **found.to_dict(),
        "version": version,
        "alias": alias,
        "instead_of": held,
        "registry": registry.source.sha256,
        "synthetic": registry.source.synthetic,
    }
    now = datetime.datetime.now(tz=datetime.UTC)
    instead = {"version": held, "alias": alias, "why": f"version {version} took its place"}
    book.enter("retired", champion, by, now, name=name, evidence=instead)
    book.enter("promoted", candidate, by, now, name=name, evidence=evidence)
    return Promoted(candidate, found, True)


def enter_first(
    model: RiskModel, name: str, version: str, by: str, book: Ledger, *, alias: str
) -> None:
    """Enter a model that got its alias without a comparison, since nobody had it."""
    now = datetime.datetime.now(tz=datetime.UTC)
    evidence = {"version": version, "alias": alias, "why": f"first {alias} of its name"}
    book.enter("promoted", model, by, now, name=name, evidence=evidence)


def retire(
    name: str,
    by: str,
    reason: str,
    ledger: Path,
    *,
    alias: str = "champion",
    tracking_uri: str | None = None,
) -> RiskModel:
    """Take the alias from whichever version has it.

    Raises
    ------
    LnriskError
        When none has it.
    """
    client = connect(tracking_uri)
    held = _holder(client, name, alias)
    if held is None:
        raise LnriskError(f"{name} has no {alias}.")
    model = find_model(f"models:/{name}/{held}", tracking_uri)
    book = Ledger(ledger)
    book.entries()
    client.delete_registered_model_alias(name, alias)
    now = datetime.datetime.now(tz=datetime.UTC)
    evidence = {"version": held, "alias": alias, "why": reason}
    book.enter("retired", model, by, now, name=name, evidence=evidence)
    return model


def _holder(client: Any, name: str, alias: str) -> str | None:
    """Return who has the alias; a server that cannot say makes nobody the first."""
    from mlflow.exceptions import MlflowException

    try:
        return holder(client, name, alias)
    except MlflowException as error:
        raise LnriskError(f"MLflow cannot say who is the {alias}: {error}") from error
