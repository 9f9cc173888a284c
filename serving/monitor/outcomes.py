"""Risks that were given, joined to what became of the patients.

Only patients whose horizon has passed count: whoever meets the definition early is known early, so
that counting all known outcomes would count too many events. Each patient counts once, with the
first risk. Those whose outcome cannot be told are stood for by others, as in training.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...features.days import NEVER, as_dates, as_days
from ...features.registry import Registry
from ...model.artifact import RiskModel
from ...model.calibration_in_time import Agreement, agreement
from ...model.outcome import Outcome, last_seen, outcome_by_registry, outcome_by_rule
from ...model.weights import outcome_weights
from ..audit.pseudonyms import Pseudonyms
from .drift import quarter_of
from .recorded import Recorded

__all__ = ["Calibration", "Joined", "calibration_of", "join"]

FEWEST_EXPECTED, FEWEST_PATIENTS = 5.0, 20


@dataclass(frozen=True)
class Joined:
    """Patients with a risk and a passed horizon.

    Parameters
    ----------
    table : DataFrame
        subject, quarter, risk, y (nan where it cannot be told), weight (0 there).
    known_on : Timestamp
        The day up to which the registry tells.
    left_out : dict of str to int
        Risks that do not count, by reason.
    """

    table: pd.DataFrame
    known_on: pd.Timestamp
    left_out: dict[str, int]


@dataclass(frozen=True)
class Calibration:
    """The agreement of one period.

    Parameters
    ----------
    period : str
    patients : int
        Whose horizon has passed, whether or not their outcome can be told.
    agreement : Agreement or None
    says : str
        ``agrees``, ``risks too low``, ``risks too high``, or why there is too little to say.
    """

    period: str
    patients: int
    agreement: Agreement | None
    says: str


def join(
    model: RiskModel, recorded: Recorded, registry: Registry, pseudonyms: Pseudonyms
) -> Joined:
    """Join risks to outcomes by the patients' pseudonyms.

    Parameters
    ----------
    model : RiskModel
        Whose answers these are; its definition and horizon make the outcome.
    recorded : Recorded
    registry : Registry
        As known now.
    pseudonyms : Pseudonyms
        With the key that the service had.
    """
    table = recorded.assessments
    scored = recorded.of((table["status"] == "ok") & table["subject"].notna())
    first = scored.of(~scored.assessments.duplicated("subject"))
    left_out = {
        "without a pseudonym": int((table["subject"].isna() & (table["status"] == "ok")).sum()),
        "asked about again": len(scored.assessments) - len(first.assessments),
    }
    key = first.assessments["subject"].str.partition(":")[0]
    left_out["pseudonym of another key"] = int((key != pseudonyms.key_name).sum())
    position = _positions(registry, pseudonyms)
    at = first.assessments["subject"].map(position)
    left_out["not in the registry"] = int((at.isna() & (key == pseudonyms.key_name)).sum())
    here = first.of(at.notna())
    where = at.dropna().to_numpy(np.int64)
    seen = last_seen(registry)
    latest = int(seen[(seen > -NEVER) & (seen < NEVER)].max(initial=0))
    outcome = _outcome(model, registry)
    asked = as_days(here.assessments["as_of"])
    index = outcome.index_day[where]
    fits = (index <= asked) & (asked <= index + model.horizon_days) & (index < NEVER)
    passed = fits & (index + model.horizon_days <= latest)
    left_out["asked on a day that does not fit the registry's index date"] = int((~fits).sum())
    left_out["horizon not yet passed"] = int((fits & ~passed).sum())
    kept, who = here.of(pd.Series(passed)), where[passed]
    joined = pd.DataFrame(
        {
            "subject": kept.assessments["subject"],
            "quarter": quarter_of(kept.assessments["as_of"]),
            "risk": kept.assessments["risk"],
            "y": outcome.y[who],
            "weight": _weights(outcome, who, kept.terms),
        }
    )
    known_on = pd.Timestamp(as_dates(np.array([latest]))[0])
    return Joined(joined, known_on, {why: n for why, n in left_out.items() if n})


def _positions(registry: Registry, pseudonyms: Pseudonyms) -> dict[str, int]:
    """Return where each pseudonym is; identifiers that share one cannot be told apart: left out."""
    subjects = pd.Series([pseudonyms(str(identifier)) for identifier in registry.patient_ids])
    alone = subjects[~subjects.duplicated(keep=False)]
    return dict(zip(alone, alone.index.to_numpy(np.int64).tolist(), strict=True))


def _outcome(model: RiskModel, registry: Registry) -> Outcome:
    if model.outcome == "registry":
        return outcome_by_registry(registry, model.horizon_days)
    return outcome_by_rule(registry, model.definition, model.horizon_days)


def _weights(
    outcome: Outcome, who: npt.NDArray[np.integer[Any]], terms: pd.DataFrame
) -> npt.NDArray[np.float64]:
    if not len(who):
        return np.empty(0)
    used = terms.loc[:, terms.notna().any()]
    return outcome_weights(
        outcome.status[who], outcome.days[who], used, outcome.may_have_failed[who]
    ).weight


def calibration_of(joined: Joined) -> list[Calibration]:
    """Return the agreement of all, and of each quarter in which risks were given."""
    table = joined.table
    whole = [_period("all", table)]
    return whole + [_period(str(name), part) for name, part in table.groupby("quarter", sort=True)]


def _period(name: str, table: pd.DataFrame) -> Calibration:
    told = table[table["weight"] > 0]
    if told.empty:
        return Calibration(name, len(table), None, "too little to say: no outcome is known")
    y, risk, weight = (told[column].to_numpy(np.float64) for column in ("y", "risk", "weight"))
    found = agreement(y, risk, weight)
    if len(told) < FEWEST_PATIENTS or found.expected < FEWEST_EXPECTED:
        says = (
            f"too little to say: {len(told)} outcomes and {found.expected:.1f} expected events, "
            f"{FEWEST_PATIENTS} and {FEWEST_EXPECTED:g} are needed"
        )
    elif found.observed_expected.lower > 1:
        says = "risks too low"
    elif found.observed_expected.upper < 1:
        says = "risks too high"
    else:
        says = "agrees"
    return Calibration(name, len(table), found, says)
