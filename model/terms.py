"""Which features enter the model, in which shape and in which order: the same for every registry.

Assumes that what tells most is the damage already there, which counts for less as treatment is
answered; proteinuria now and at baseline, from which the definition measures the fall; where eGFR
is going; whether treatment was taken and dosed, since no other failure counts; and whether the
first regimen failed or was changed, once that is known. Where proteinuria is not the first analyte,
the disease is another one, and its present state comes first. The sample size decides how far down
the list a model goes; a feature that matters and is not on it is missed until a configuration names
it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from ..features.laboratory import DAYS_PER_MONTH, LANDMARK_MONTH, series_name
from ..features.vocabulary import Scale
from .columns import Piece

__all__ = [
    "Course",
    "about_the_records",
    "affordable",
    "baseline_pieces",
    "every_piece",
    "model_pieces",
    "only_where_shown",
    "parameters_of",
    "pieces_of",
    "terms_of",
    "told_already",
]

Course = Literal["shrunken", "least_squares", "least_squares_line", "last"]
"""How the course of an analyte is told: empirical-Bayes level and slope, last value with plain
change and slope, level and slope of the plain line, or last value alone."""

_OF_ANALYTE: dict[Course, tuple[str, ...]] = {
    "shrunken": ("level", "shrunken_change", "slope"),
    "least_squares": ("last", "change", "least_squares_slope"),
    "least_squares_line": ("least_squares_level", "least_squares_slope"),
    "last": ("last",),
}
_PROTEINURIA, _FILTRATION = "log_upcr", "egfr"
_DAMAGE = "chronicity_index_shrunken"
_FIRST_REGIMEN = ("response_shown", "failure_shown")
_ADHERENCE = ("adherence_probability", "nonadherence_shown")
_CHANGED = "regimen_changed"
"""Who has changed regimen is halfway to two failures."""
_DOSED = "mpa_mg_per_day"
"""Who was underdosed has no failure that counts."""
_THEN = ("prednisone_mg_per_day", "age")
_LAST = (
    "activity_index",
    "hydroxychloroquine_share_of_days",
    "mpa_share_of_target",
    "cyc_share_of_schedule",
    "class_membranous",
    "class_proliferative",
    "raas_inhibitor_share_of_days",
    "sglt2_inhibitor_share_of_days",
    "female",
)
_REGIMEN = (
    "started_with_cyc",
    "started_with_mpa",
    "started_with_cni",
    "started_with_bel",
    "started_with_obi",
)
_BOTH_FELL = "upcr_and_egfr_fall"
"""A fall of proteinuria while filtration is lost is not the answer that was hoped for."""
_FALLS = ("upcr_fall_below_50", "upcr_fall_below_25")
_ANSWERING_TOO = ("albumin", "c3", "c4")
"""Other analytes that move with the answer to treatment; ALMS looked at their changes by week 8."""
_MEASURED_CHANGE = "change"
"""Beside the shrunken one: the definition compares two measured values, errors and all, and the one
at baseline is measured already."""
_EVIDENCE = "adherence_evidence"
_OF_THE_RECORDS = ("_coverage", "_count", "_days_since", "_sd")
"""Ends of names of features that tell how closely a patient was watched."""
_TOLD_ALREADY = ("_first", "_mean", "_variability", "_least_squares_level", "_least_squares_slope")
"""Ends of names of what baseline, last value, change and shrunken course of an analyte tell too."""


def model_pieces(scales: Mapping[str, Scale], course: Course) -> tuple[Piece, ...]:
    """Return the pieces of the model, the most important first.

    Parameters
    ----------
    scales : mapping of str to {"log", "identity"}
        Analytes, the most important first, and the scale on which each is taken.
    course : {"shrunken", "least_squares", "least_squares_line", "last"}

    Examples
    --------
    >>> pieces = model_pieces({"upcr": "log", "egfr": "identity"}, "shrunken")
    >>> [piece.term for piece in pieces[:4]]
    ['chronicity_index_shrunken', 'log_upcr_level', 'log_upcr_baseline', 'egfr_slope']
    """
    series = [series_name(analyte, scale) for analyte, scale in scales.items()]
    level, *moves = _OF_ANALYTE[course]
    (first, *second), others = series[:2], series[2:]
    levels, slope = _of((first, *second), [level]), _of(second, moves[-1:])
    lupus, shrunken = first == _PROTEINURIA, course == "shrunken"
    measured = [_MEASURED_CHANGE] if shrunken else moves[:1]
    answering = [first, *(name for name in others if name in _ANSWERING_TOO)]
    both_fell = [_BOTH_FELL] if lupus and shrunken and second == [_FILTRATION] else []
    answer = [
        *map(Piece, [_DAMAGE, levels[0], f"{first}_baseline", *slope]),
        *map(Piece, [*_ADHERENCE, _CHANGED, *both_fell, *_of(answering, measured), _DOSED]),
        *(Piece(_DAMAGE, in_time=True), Piece(levels[0], "bend")),
        *map(Piece, [*_FIRST_REGIMEN, *_of(second, measured)]),
    ]
    state = map(Piece, [*levels, "age", *_of(others, [level])])
    order = [
        *(answer if lupus else state),
        *(Piece(name, in_time=True) for name in [*slope, *_of([first], moves[:1])]),
        Piece(levels[0], "bend"),
        *map(Piece, [*(_FALLS if lupus and shrunken else ()), _EVIDENCE, *levels[1:], *_REGIMEN]),
        *map(Piece, _of(others, [level])),
        *(Piece(name, "bend") for name in levels[1:]),
        *map(Piece, [*_THEN, *_of(others, moves[-1:])]),
        *(Piece(name, in_time=True) for name in levels),
        *answer,
        *map(Piece, [*_of((first, *second), moves), *_LAST, *_of(others, moves[:-1])]),
    ]
    return tuple(dict.fromkeys(order))


def _of(series: Iterable[str], parts: Iterable[str]) -> list[str]:
    told = list(parts)
    return [f"{name}_{part}" for name in series for part in told]


def pieces_of(terms: Sequence[str]) -> tuple[Piece, ...]:
    """Return the pieces of terms named in a configuration: each a straight line."""
    return tuple(Piece(name) for name in terms)


def baseline_pieces(landmark_days: Sequence[int]) -> tuple[Piece, ...]:
    """Return the pieces of the landmark itself: a level of risk for each, straight lines between.

    Examples
    --------
    >>> [piece.shape for piece in baseline_pieces((0, 84, 182))]
    ['hat', 'hat']
    >>> baseline_pieces((84,))
    ()
    """
    months = [day / DAYS_PER_MONTH for day in landmark_days]
    ends = [*months, months[-1]]
    return tuple(
        Piece(LANDMARK_MONTH, "hat", knots=(ends[k - 1], ends[k], ends[k + 1]))
        for k in range(1, len(months))
    )


def affordable(
    pieces: Sequence[Piece],
    known: Collection[str],
    sometimes_missing: Collection[str],
    parameters: int,
) -> tuple[Piece, ...]:
    """Return the pieces that a number of parameters allows.

    A missing value is the mean of the others. What its being missing tells besides gets a piece
    after all others: much that is missing was just not asked for, which is no reason to leave out
    what was.

    Parameters
    ----------
    pieces : sequence of Piece
        In order of importance.
    known : collection of str
        Terms that tell something in the training data; others are passed over.
    sometimes_missing : collection of str
        Terms that get a piece for their missingness.
    parameters : int
        How many columns there may be. The landmark's own are not counted: they are the model's
        baseline, as the intercept is.

    Examples
    --------
    >>> pieces = [Piece("upcr"), Piece("biopsy"), Piece("age")]
    >>> told = affordable(pieces, {"upcr", "biopsy"}, {"biopsy"}, 3)
    >>> [(piece.term, piece.shape) for piece in told]
    [('upcr', 'value'), ('biopsy', 'value'), ('biopsy', 'missing')]
    >>> [piece.term for piece in affordable(pieces, {"upcr", "biopsy", "age"}, {"biopsy"}, 2)]
    ['upcr', 'biopsy']
    """
    gaps = [Piece(term, "missing") for term in terms_of(pieces) if term in sometimes_missing]
    chosen: list[Piece] = []
    for piece in (*pieces, *gaps):
        alone = piece == Piece(piece.term) or piece.shape == "hat"
        rests_on_it = alone or Piece(piece.term) in chosen
        room = parameters_of([*chosen, piece]) <= parameters
        if piece.term in known and rests_on_it and room:
            chosen.append(piece)
    return tuple(chosen)


def about_the_records(name: str) -> bool:
    """Return whether a feature tells how closely a patient was watched, and not how the patient is.

    How often something is measured goes with risk, as doctors measure what worries them; that
    changes from clinic to clinic, and with a clinic's habits.

    Examples
    --------
    >>> [about_the_records(name) for name in ("c4_count", "refill_coverage", "c4_last")]
    [True, True, False]
    """
    return name.endswith(_OF_THE_RECORDS)


def only_where_shown(name: str) -> bool:
    """Return whether a feature is 0 until something has been shown, and tells nothing till then.

    Examples
    --------
    >>> [only_where_shown(name) for name in ("nonadherence_shown", "adherence_probability")]
    [True, False]
    """
    return name.endswith("_shown")


def told_already(name: str) -> bool:
    """Return whether a feature says of an analyte's course what others say already.

    Examples
    --------
    >>> [told_already(name) for name in ("c4_mean", "c4_first", "c4_slope", "c4_last")]
    [True, True, False, False]
    """
    return name.endswith(_TOLD_ALREADY)


def every_piece(
    named: Sequence[Piece],
    listed: Sequence[Piece],
    telling: Collection[str],
    speaks_for: Mapping[str, str],
) -> tuple[Piece, ...]:
    """Return the pieces of a model on every feature, those named beforehand first.

    Parameters
    ----------
    named : sequence of Piece
        That the model of few terms has.
    listed : sequence of Piece
        Bends and effects in time that may be told apart; values are taken of every feature.
    telling : collection of str
        Features that tell something in the training data, in order.
    speaks_for : mapping of str to str
        Of a feature that is missing at times, the one whose missingness is the same.

    Examples
    --------
    >>> pieces = every_piece([Piece("age")], [], ["age", "c3", "c4"], {"c3": "c3", "c4": "c3"})
    >>> [(piece.term, piece.shape) for piece in pieces]
    [('age', 'value'), ('c3', 'value'), ('c4', 'value'), ('c3', 'missing')]
    """
    shaped = [piece for piece in listed if piece.term in telling and piece != Piece(piece.term)]
    told = [piece.term for piece in named if piece.shape == "missing"]
    covered = {speaks_for.get(name, name) for name in told}
    gaps = dict.fromkeys(speaks_for[name] for name in telling if name in speaks_for)
    return tuple(
        dict.fromkeys(
            [
                *named,
                *(Piece(name) for name in telling if name != LANDMARK_MONTH),
                *shaped,
                *(Piece(name, "missing") for name in gaps if name not in covered),
            ]
        )
    )


def parameters_of(pieces: Sequence[Piece]) -> int:
    """Return how many parameters are spent on predictors."""
    return sum(piece.term != LANDMARK_MONTH for piece in pieces)


def terms_of(pieces: Sequence[Piece]) -> tuple[str, ...]:
    """Return the features that pieces are made of, each once, without the landmark."""
    names = dict.fromkeys(piece.term for piece in pieces)
    names.pop(LANDMARK_MONTH, None)
    return tuple(names)
