"""All that the page shows of one patient: the risk, the rule, the course, and how they relate.

Assumes a patient who passed the checks. What the model refused stays refused here: no figure is
drawn where there is no number.
"""

import datetime
from dataclasses import dataclass, replace

from markupsafe import Markup

from ...features.asof import as_of_days, known_on
from ...features.registry import Registry
from ...model.artifact import RiskModel
from ..assessment import Assessment, assess
from ..cautions import Caution
from .checklist import CourseList, Item, consider_of, courses_of
from .entry import Entry
from .history import Taken, Value, proteinuria_of, taken_of, timeline_of, upcr_unit, values_of
from .landmarks import MoveRow, moves_of
from .moves import draw_moves
from .people import draw_people
from .ranges import Ranges
from .sentences import caution_said
from .timeline import Timeline, draw_timeline
from .together import Together, compare
from .why import Why, why_of
from .words import Words

__all__ = ["Answer", "answer"]

WIDE, NARROW = 780, 360


@dataclass(frozen=True)
class Answer:
    """What the page shows of one patient.

    Parameters
    ----------
    assessment : Assessment
    ranges : Ranges or None
        None where there is no risk.
    figures : dict of str to Markup
        ``people``; ``timeline`` and ``moves``, each also ``_narrow`` for a phone.
    proteinuria, egfr : tuple of Value
    taken : tuple of Taken
    not_later : int
        Rows dated after the day, which were not looked at.
    moves : tuple of MoveRow
    together : Together
    courses : tuple of CourseList
    consider : tuple of Item
    why : Why
    beware : tuple of str
        Cautions of the assessment, but for simulated training data, which the page always says.
    odd : tuple of str
        What the checks found odd in the values: likely a wrong unit.
    """

    assessment: Assessment
    ranges: Ranges | None
    figures: dict[str, Markup]
    proteinuria: tuple[Value, ...]
    egfr: tuple[Value, ...]
    taken: tuple[Taken, ...]
    not_later: int
    moves: tuple[MoveRow, ...]
    together: Together
    courses: tuple[CourseList, ...]
    consider: tuple[Item, ...]
    why: Why
    beware: tuple[str, ...]
    odd: tuple[str, ...]


def answer(
    model: RiskModel,
    registry: Registry,
    entry: Entry,
    as_of: datetime.date,
    odd: tuple[Caution, ...],
    words: Words,
) -> Answer:
    """Assess a patient and prepare what is shown.

    Parameters
    ----------
    model : RiskModel
    registry : Registry
        Of this one patient.
    entry : Entry
        The rows that the registry was made from.
    as_of : date
    odd : tuple of Caution
        Of the checks.
    words : Words
    """
    (assessment,) = assess(model, registry, as_of)
    known = known_on(registry, as_of_days(registry, as_of))
    proteinuria, egfr = proteinuria_of(known, entry, words), values_of(known, entry, words)
    taken = taken_of(known, words)
    timeline = timeline_of(
        assessment, model.definition, proteinuria, egfr, taken, upcr_unit(entry), words
    )
    moves = moves_of(model, registry, assessment, words)
    ranges = Ranges.of(assessment)
    later = sum(
        len(registry.table(name)) - len(known.table(name))
        for name in ("measurements", "treatments", "biopsies", "adherence", "events")
    )
    return Answer(
        assessment,
        ranges,
        _figures(ranges, timeline, moves, words),
        proteinuria,
        egfr,
        taken,
        later,
        moves,
        compare(model, assessment),
        courses_of(assessment, known, model.definition, words),
        consider_of(assessment, known, model.definition, words),
        why_of(assessment),
        tuple(caution_said(c, words) for c in assessment.cautions if c.code != "simulated"),
        tuple(caution_said(each, words) for each in odd),
    )


def _people(ranges: Ranges, words: Words) -> Markup:
    said, held = words.say("risk.people_title", expected=ranges.expected), ranges.alike
    if held is None:
        return draw_people(ranges.expected, said)
    framed = words.say("risk.people_range", lower=held.lower, upper=held.upper)
    ends = words.say("risk.lower", lower=held.lower), words.say("risk.upper", upper=held.upper)
    return draw_people(ranges.expected, f"{said} {framed}", held, ends)


def _figures(
    ranges: Ranges | None, timeline: Timeline, moves: tuple[MoveRow, ...], words: Words
) -> dict[str, Markup]:
    figures = {}
    if ranges is not None:
        figures["people"] = _people(ranges, words)
    said = words.say("course_of.figure")
    figures["timeline"] = draw_timeline(timeline, WIDE, said, "timeline-wide")
    short = replace(timeline, week_said=words.say("course_of.weeks_short"))
    figures["timeline_narrow"] = draw_timeline(short, NARROW, said, "timeline-narrow")
    given = [row for row in moves if row.move.risk is not None]
    if len(given) > 1:
        said = words.say(
            "moves.figure", count=len(given), first=given[0].move.said, last=given[-1].move.said
        )
        drawn = tuple(row.move for row in moves)
        for width, name in ((WIDE, "moves"), (NARROW, "moves_narrow")):
            figures[name] = draw_moves(drawn, width, said, words, name.replace("_", "-"))
    return figures
