"""Risk and rule of patients with all that a person or a program may ask about them.

The API, the page, CDS Hooks and FHIR all show an `Assessment`; what `lnrisk score` writes is its
short form. Assumes a registry of few patients (`lnrisk.serving.scoring` is for a million).

``assess(model, registry, as_of)[0].label.courses[0].criteria`` are the questions that the rule put
to the first course, each with value, threshold, date and source row.
"""

import datetime
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ..features.days import Days
from ..features.registry import Registry
from ..model.artifact import RiskModel
from ..model.spread import LEVEL
from .audit.journal import note_assessments
from .cautions import Caution, cautions_about, cautions_of
from .criteria import EPOCH, date_of, number_of
from .drivers import Driver, DriverGroup, Drivers, drivers_of
from .explained_label import Label, explained
from .missing import Missing, missing_of
from .refusals import Reason
from .scoring import scored

__all__ = [
    "Assessment",
    "Horizon",
    "Interval",
    "Landmark",
    "ModelStamp",
    "Status",
    "assess",
]

Status = Literal["ok", "met", "no_induction", "outside_model"]


@dataclass(frozen=True)
class Interval:
    """A range of risks."""

    lower: Annotated[float, Field(ge=0, le=1, description="Probability, 0 to 1.")]
    upper: Annotated[float, Field(ge=0, le=1, description="Probability, 0 to 1.")]
    level: Annotated[float, Field(gt=0, lt=1, description="Share inside.")]
    kind: Annotated[
        Literal["patients alike", "refits"],
        Field(
            description="`patients alike`: what holds the risks of most patients who look like "
            "this one to the model, who differ in what could not be seen yet. `refits`: what holds "
            "most refits of the model to bootstrap samples of the training patients; it tells how "
            "much the training sample moves the risk, not how patients differ."
        ),
    ]


@dataclass(frozen=True)
class Landmark:
    """The day that the risk looks back from."""

    day: Annotated[int, Field(description="Days after the index date.", examples=[84])]
    date: datetime.date


@dataclass(frozen=True)
class Horizon:
    """The day by which the definition may be met."""

    days: Annotated[int, Field(description="Days after the index date.", examples=[548])]
    date: Annotated[datetime.date | None, Field(description="null without an index date.")]


@dataclass(frozen=True)
class ModelStamp:
    """Which model and which definition answered."""

    version: Annotated[str, Field(description="First twelve digits of `sha256`.")]
    sha256: Annotated[str, Field(description="Hash of the model's content.")]
    definition: str
    definition_version: str
    trained_on_simulated_data: bool


@dataclass(frozen=True)
class Assessment:
    """Risk beside rule for one patient, as of one day."""

    as_of: Annotated[datetime.date, Field(description="What is dated later was not looked at.")]
    status: Annotated[
        Status,
        Field(
            description="`ok`: there is a risk; `met`: the rule is already met, the risk is 1 by "
            "the rule; `no_induction`: no anchor drug was started; `outside_model`: the model does "
            "not apply, `why` says for what reason, and there is no risk."
        ),
    ]
    why: Annotated[str, Field(description="Why the status is what it is; empty when `ok`.")]
    reason: Annotated[
        Reason | None, Field(description="`why` as data, where the model does not apply.")
    ]
    risk: Annotated[
        float | None,
        Field(
            ge=0,
            le=1,
            description="Probability, 0 to 1, of meeting the definition by the horizon; null "
            "where the model gives none.",
        ),
    ]
    interval: Annotated[
        Interval | None,
        Field(description="Where the risk of a patient like this may lie; null where not known."),
    ]
    steadiness: Annotated[
        Interval | None,
        Field(description="How far other training patients would move it; null where not known."),
    ]
    landmark: Annotated[Landmark | None, Field(description="null without an index date.")]
    horizon: Horizon
    label: Label
    drivers: Annotated[
        tuple[Driver, ...], Field(description="Feature by feature, the largest change first.")
    ]
    driver_groups: Annotated[
        tuple[DriverGroup, ...],
        Field(description="The same by analyte, biopsy or treatment, the largest change first."),
    ]
    missing: Annotated[
        tuple[Missing, ...],
        Field(description="What is not known, what could move the risk most first."),
    ]
    cautions: Annotated[
        tuple[Caution, ...], Field(description="What to beware of, as data: one for each warning.")
    ]
    warnings: Annotated[tuple[str, ...], Field(description="What to beware of, in sentences.")]
    model: ModelStamp


def assess(model: RiskModel, registry: Registry, as_of: datetime.date | Days) -> list[Assessment]:
    """Assess every patient of a registry.

    Parameters
    ----------
    model : RiskModel
    registry : Registry
        Whole patients.
    as_of : date, or ndarray of int of shape (n_patients,)
        One day for all, or each one's day number; nothing dated later is looked at.

    Returns
    -------
    list of Assessment
        In the registry's order; a patient's does not depend on who else is there.
    """
    found = scored(model, registry, as_of)
    labels = explained(found.known, found.labels, model.definition)
    drivers = [Drivers()] * len(labels)
    missing: list[tuple[Missing, ...]] = [()] * len(labels)
    ok = found.ok
    if ok.any():
        some, terms = np.flatnonzero(ok).tolist(), found.terms[ok]
        inputs = {name: values[ok] for name, values in found.features.items()}
        for at, each in zip(some, drivers_of(model, terms, found.design[ok]), strict=True):
            drivers[at] = each
        for at, lacks in zip(some, missing_of(model, inputs, terms), strict=True):
            missing[at] = lacks
    stamp = ModelStamp(
        model.version,
        model.sha256,
        model.definition.name,
        model.definition.version,
        model.synthetic,
    )
    answers = []
    for at, label in enumerate(labels):
        first, status = date_of(found.index[at]), found.status[at].item()
        why = str(found.why[at])
        since = int(found.days[at] - found.index[at])
        cautions = cautions_of(model, found.terms[at], since) if status == "ok" else ()
        cautions = (*cautions, *cautions_about(model))
        answers.append(
            Assessment(
                as_of=EPOCH + datetime.timedelta(days=int(found.days[at])),
                status=status,
                why="" if status == "ok" else why,
                reason=found.reasons.get(at),
                risk=number_of(found.risk[at]),
                interval=_interval(found.lower[at], found.upper[at], "patients alike"),
                steadiness=_interval(found.steady_lower[at], found.steady_upper[at], "refits"),
                landmark=None
                if first is None
                else Landmark(int(found.landmark[at]), _after(first, int(found.landmark[at]))),
                horizon=Horizon(
                    model.horizon_days,
                    None if first is None else _after(first, model.horizon_days),
                ),
                label=label,
                drivers=drivers[at].features,
                driver_groups=drivers[at].groups,
                missing=missing[at],
                cautions=cautions,
                warnings=tuple(caution.text for caution in cautions),
                model=stamp,
            )
        )
    note_assessments(answers, model.feature_names, lambda: found.terms)
    return answers


def _after(date: datetime.date, days: int) -> datetime.date:
    return date + datetime.timedelta(days=days)


def _interval(
    lower: float, upper: float, kind: Literal["patients alike", "refits"]
) -> Interval | None:
    return None if np.isnan(lower) else Interval(float(lower), float(upper), LEVEL, kind)
