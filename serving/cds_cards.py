"""An assessment as a CDS Hooks card: information only, no suggestion, no order.

Assumes that whoever reads it decides within seconds whether to look further: the risk and the rule
stand in one line of fewer than 140 characters, all else is behind it.
"""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from .assessment import Assessment
from .cautions import SIMULATED, TOO_FEW
from .feedback import OVERRIDE_REASONS, SYSTEM
from .from_fhir import AssessedRecord
from .risk_assessment import BY_RULE, CARE

__all__ = ["card_of"]

LONGEST_SUMMARY = 139
DRIVERS_SHOWN = 3
MOST_REMARKS = 5
IN_SHORT = {
    "beyond_training": "values beyond all training patients",
    "unseen_gaps": "too much is missing",
}
"""Of reasons that name features, of which there may be many; the detail names them."""
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~])")


def card_of(record: AssessedRecord, uuid: UUID, page: str) -> dict[str, Any] | None:
    """Return a card, or None where the patient has nothing to do with the question.

    Parameters
    ----------
    record : AssessedRecord
    uuid : UUID
        By which feedback will name the card.
    page : str
        Address of the clinician's page; nothing of the patient is in it.
    """
    answer = record.assessment
    if answer.status == "no_induction" and not record.lost_treatment:
        return None
    return {
        "uuid": str(uuid),
        "summary": _shortened(_summary(answer)),
        "detail": "\n".join(_detail(record)),
        "indicator": "info",
        "source": {"label": f"lnrisk {answer.model.version}", "url": page},
        "links": [{"label": "Enter this patient on the page", "url": page, "type": "absolute"}],
        "overrideReasons": [
            {"code": code, "system": SYSTEM, "display": display}
            for code, display in OVERRIDE_REASONS.items()
        ],
    }


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SUMMARY else f"{text[: LONGEST_SUMMARY - 1]}…"


def _per_cent(probability: float) -> str:
    percent = 100.0 * probability
    if percent < 1:
        return "less than 1 %"
    return "more than 99 %" if percent > 99 else f"{percent:.0f} %"


def _summary(answer: Assessment) -> str:
    simulated = "Simulated model. " if answer.model.trained_on_simulated_data else ""
    verdict = answer.label.verdict.replace("_", " ")
    if answer.status == "met":
        return f"{simulated}Lupus nephritis: refractory by the rule since {answer.label.met_on}."
    if answer.risk is None:
        why = answer.why or "no induction treatment found"
        if answer.reason is not None:
            why = IN_SHORT.get(answer.reason.code, why)
        return f"{simulated}Lupus nephritis: no risk given ({why}). Rule: {verdict}."
    return (
        f"{simulated}Lupus nephritis: {_per_cent(answer.risk)} risk of refractory disease "
        f"by {answer.horizon.date}. Rule today: {verdict}."
    )


def _plain(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text.replace("\n", " "))


def _detail(record: AssessedRecord) -> Iterator[str]:
    answer = record.assessment
    label = answer.label
    if answer.model.trained_on_simulated_data:
        yield f"**{SIMULATED}**\n"
    if TOO_FEW in answer.warnings:
        yield f"**{TOO_FEW}**\n"
    if answer.status == "met":
        yield f"{BY_RULE}\n"
    elif answer.risk is not None:
        yield f"**Risk** {_per_cent(answer.risk)}{_interval(answer)}, by {answer.horizon.date}.\n"
        yield from (f"- {_plain(each.text)}" for each in answer.driver_groups[:DRIVERS_SHOWN])
    else:
        why = answer.why or "no induction treatment with a role in the rule was found"
        yield f"**No risk is given**: {_plain(why)}.\n"
    yield f"\n**Rule** {_plain(label.definition)}: {label.verdict.replace('_', ' ')}.\n"
    for course in label.courses:
        yield (
            f"- Course {course.number} ({', '.join(course.regimen)}) from {course.start_date}: "
            f"failed {course.failed}, adequate {course.adequate}, adherent {course.adherent}"
        )
    if label.consider:
        yield f"\nTo be weighed first: {', '.join(label.consider).replace('_', ' ')}.\n"
    if answer.missing:
        yield "\n**Not known**\n"
        yield from (f"- {_plain(each.text)}" for each in answer.missing[:DRIVERS_SHOWN])
    warnings = [warning for warning in answer.warnings if warning not in (SIMULATED, TOO_FEW)]
    remarks = [*record.not_used, *warnings, *record.assumed]
    if remarks:
        yield "\n**Beware**\n"
        yield from (f"- {_plain(each)}" for each in remarks[:MOST_REMARKS])
        if len(remarks) > MOST_REMARKS:
            yield f"- and {len(remarks) - MOST_REMARKS} more"
    yield f"\n{CARE}"


def _interval(answer: Assessment) -> str:
    if answer.interval is None:
        return ""
    ends = f"{_per_cent(answer.interval.lower)} to {_per_cent(answer.interval.upper)}"
    return f" ({100 * answer.interval.level:g} % of patients alike: {ends})"
