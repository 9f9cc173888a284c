"""Failed at 4-6 months: the vectorised rule against the definition's sentences in plain Python."""

from fractions import Fraction
from itertools import product

import generated
import numpy as np
import pytest
from generated import Patient
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.days import NEVER
from lnrisk.features.history import History
from lnrisk.model.definition import Rule, load_definition, presets
from lnrisk.model.kleene import words
from lnrisk.model.label import label
from lnrisk.model.response import Evidence, assess

BASELINE_DAY, ASSESSED_DAY, WINDOW_END = -3, 190, 196


def history(before, after, before_on=BASELINE_DAY, after_on=ASSESSED_DAY):
    """One patient per pair; None is not measured."""
    rows = [
        (patient, day, float(value))
        for patient, pair in enumerate(zip(before, after, strict=True))
        for day, value in zip((before_on, after_on), pair, strict=True)
        if value is not None
    ]
    patient, day, value = zip(*rows, strict=True) if rows else ((), (), ())
    return History(np.array(patient, int), np.array(day, int), np.array(value, float))


def response(upcr=None, egfr=None, protein_24h=None, definition="arora-2022"):
    kinds = {"upcr": upcr, "protein_24h": protein_24h, "egfr": egfr}
    n = max(len(pairs) for pairs in kinds.values() if pairs is not None)
    histories = {
        name: history(*zip(*(pairs or [(None, None)] * n), strict=True))
        for name, pairs in kinds.items()
    }
    chosen = load_definition(definition) if isinstance(definition, str) else definition
    patient = np.arange(n)
    start, end = np.zeros(n, int), np.full(n, WINDOW_END)
    return assess(Evidence(**histories), chosen, patient, start, end)


def number(text):
    return None if text is None else Fraction(text)


def known(ask, *values):
    return None if any(value is None for value in values) else ask(*values)


def either(*answers):
    return True if True in answers else None if None in answers else False


def both(*answers):
    return False if False in answers else None if None in answers else True


def opposite(answer):
    return None if answer is None else not answer


def proteinuria(before, after):
    if after is None:
        return None
    if after <= Fraction("0.5"):
        return "at_target"
    if before is None:
        return None
    ratio = after / before
    if ratio <= Fraction("0.75"):
        return "improved"
    return "unchanged" if ratio < Fraction("1.25") else "worsened"


def egfr(before, after):
    if before is None or after is None:
        return None
    ratio = after / before
    if ratio <= Fraction("0.80"):
        return "worsened"
    return "improved" if ratio >= Fraction("1.20") else "unchanged"


def arora(urine, kidney):
    return either(
        known(lambda word: word in ("unchanged", "worsened"), proteinuria(*urine)),
        known(lambda word: word == "worsened", egfr(*kidney)),
    )


def strict(urine, kidney):
    unchanged = known(lambda word: word == "unchanged", egfr(*kidney))
    low = known(lambda before: before < 60, kidney[0])
    return either(arora(urine, kidney), both(unchanged, low))


def neither_improved(urine, kidney):
    return both(
        known(lambda word: word in ("unchanged", "worsened"), proteinuria(*urine)),
        known(lambda word: word != "improved", egfr(*kidney)),
    )


def kdigo(urine, kidney):
    (before, after), (kidney_before, kidney_after) = urine, kidney
    kept = known(lambda b, a: a / b >= Fraction("0.85"), kidney_before, kidney_after)
    complete = both(known(lambda a: a <= Fraction("0.5"), after), kept)
    fall = known(lambda b, a: (b - a) / b >= Fraction("0.5"), before, after)
    partial = both(fall, known(lambda a: a < 3, after), kept)
    return opposite(either(complete, partial))


def eular(urine, kidney):
    fall = known(lambda b, a: (b - a) / b < Fraction("0.5"), *urine)
    worse = known(lambda b, a: a / b < Fraction("0.80"), *kidney)
    excused = known(lambda a: a <= Fraction("0.7"), urine[1])
    return both(either(fall, worse), opposite(excused))


def upcr_1(urine, kidney):
    return known(lambda a: a >= 1, urine[1])


RULES = {
    "arora-2022": arora,
    "arora-2022-strict": strict,
    "arora-2022-and": neither_improved,
    "kdigo-2024": kdigo,
    "eular-2025": eular,
    "upcr-1": upcr_1,
}
URINE = list(
    product(
        (None, "0.6", "1", "2", "4", "8"),
        (None, "0.4", "0.5", "0.51", "0.7", "0.75", "1", "1.25", "1.5", "2.5", "3", "5", "10"),
    )
)
KIDNEY = list(
    product(
        (None, "59", "60", "100"),
        (None, "47.2", "48", "50", "51", "60", "70.8", "72", "79", "80", "80.1", "85", "120"),
    )
)
GRID = list(product(URINE, KIDNEY))
SPOKEN = {True: "yes", False: "no", None: "unknown"}


def test_every_preset_has_a_transcription():
    assert set(RULES) == set(presets())


@pytest.mark.parametrize("name", presets())
def test_failed_is_what_the_text_says_for_every_combination_of_values(name):
    found = response([u for u, _ in GRID], [k for _, k in GRID], definition=name)
    expected = [SPOKEN[RULES[name](tuple(map(number, u)), tuple(map(number, k)))] for u, k in GRID]
    differing = [
        (case, have, want)
        for case, have, want in zip(GRID, words(found.failed).tolist(), expected, strict=True)
        if have != want
    ]
    assert differing == []
    assert set(expected) == {"yes", "no", "unknown"}


def test_the_words_are_what_the_text_says_for_every_combination_of_values():
    found = response([u for u, _ in GRID], [k for _, k in GRID])
    urine = [proteinuria(*map(number, u)) or "unknown" for u, _ in GRID]
    kidney = [egfr(*map(number, k)) or "unknown" for _, k in GRID]
    assert found.proteinuria_word.tolist() == urine
    assert found.egfr_word.tolist() == kidney
    failed = [arora(tuple(map(number, u)), tuple(map(number, k))) for u, k in GRID]
    discordant = [
        bool(f and k == "worsened" and u in ("improved", "at_target"))
        for f, u, k in zip(failed, urine, kidney, strict=True)
    ]
    assert found.discordant.tolist() == discordant
    assert any(discordant)


@given(st.integers(1, 4000), st.sampled_from(("1", "113.1", "1000", "88.42")))
def test_thresholds_are_met_exactly_whatever_the_unit_was(thousandths, unit):
    factor = float(Fraction(unit))
    written = [thousandths * share / 1000 * factor for share in (4, 3, 5)]
    before, three_quarters, five_quarters = (value / factor for value in written)
    found = response(
        [(before * 1000, three_quarters * 1000), (before * 1000, five_quarters * 1000)]
    )
    assert found.proteinuria_word.tolist()[1] == "worsened"
    assert found.proteinuria_word.tolist()[0] in ("improved", "at_target")


@given(st.integers(10, 200), st.sampled_from(("0.8", "1.2")))
def test_egfr_thresholds_are_met_exactly(whole, share):
    found = response([(None, None)], [(whole, float(Fraction(share) * whole))])
    assert found.egfr_word.tolist() == ["worsened" if share == "0.8" else "improved"]


WRITTEN = [
    (("67.86", "56.55"), "mg/mmol", "at_target"),
    (("67.86", "56.56"), "mg/mmol", "unchanged"),
    (("600", "500"), "mg/g", "at_target"),
    (("600", "501"), "mg/g", "unchanged"),
    (("1200", "900"), "mg/g", "improved"),
    (("1200", "901"), "mg/g", "unchanged"),
    (("1.2", "0.9"), "g/g", "improved"),
    (("226.2", "169.65"), "mg/mmol", "improved"),
    (("226.2", "282.75"), "mg/mmol", "worsened"),
    (("226.2", "282.7"), "mg/mmol", "unchanged"),
]


def test_thresholds_are_met_exactly_as_a_laboratory_writes_them():
    people = [
        Patient(
            birth=-9000,
            sex="female",
            treatments=[("mycophenolate_mofetil", 0, None, "2000", "mg/d", "")],
            measurements=[
                (day, "upcr", value, unit) for day, value in zip((-3, 150), values, strict=True)
            ],
        )
        for values, unit, _ in WRITTEN
    ]
    courses = label(generated.registry(people), load_definition()).courses
    assert courses["proteinuria"].tolist() == [word for *_, word in WRITTEN]


KINDS = list(product((None, "2"), (None, "1"), (None, "4"), (None, "3.6")))


def proteinuria_source(upcr_before, upcr_after, day_before, day_after):
    if upcr_before and upcr_after:
        return upcr_before, upcr_after, False
    if day_before and day_after:
        return day_before, day_after, False
    before, after = upcr_before or day_before, upcr_after or day_after
    different = bool(before and after and bool(upcr_before) != bool(upcr_after))
    return before, after, different


@pytest.mark.parametrize("kinds", KINDS, ids=str)
def test_upcr_goes_before_the_collection_and_both_kinds_are_mixed_last(kinds):
    found = response([kinds[:2]], protein_24h=[kinds[2:]])
    before, after, mixed = proteinuria_source(*kinds)
    values = (found.proteinuria.baseline[0], found.proteinuria.assessed[0])
    expected = [np.nan if value is None else float(value) for value in (before, after)]
    np.testing.assert_array_equal(values, expected)
    assert found.mixed_proteinuria.tolist() == [mixed]


@pytest.mark.parametrize(
    ("urine", "kidney", "definition", "day"),
    [
        (("3", "3"), ("90", "90"), "arora-2022", ASSESSED_DAY),
        (("3", "3"), (None, None), "arora-2022", ASSESSED_DAY),
        ((None, "3"), (None, "90"), "arora-2022", NEVER),
        ((None, "3"), (None, "90"), "upcr-1", ASSESSED_DAY),
        ((None, None), ("90", "90"), "upcr-1", NEVER),
        ((None, None), (None, None), "arora-2022", NEVER),
    ],
)
def test_a_course_is_assessed_on_the_day_of_an_arm_that_was_used(urine, kidney, definition, day):
    assert response([urine], [kidney], definition=definition).assessed_on.tolist() == [day]


@pytest.mark.parametrize(("urine_on", "kidney_on"), [(120, 150), (150, 120)])
def test_the_assessment_date_is_the_later_of_the_two_arms(urine_on, kidney_on):
    evidence = Evidence(
        history([3], [3], after_on=urine_on),
        history([None], [None]),
        history([90], [90], after_on=kidney_on),
    )
    one = np.zeros(1, int)
    found = assess(evidence, load_definition(), one, one, np.array([196]))
    assert found.assessed_on.tolist() == [150]


@pytest.mark.parametrize(
    ("before_on", "after_on", "word"),
    [
        (-91, 150, "unknown"),
        (-90, 150, "unchanged"),
        (7, 150, "unchanged"),
        (8, 150, "unknown"),
        (0, 111, "unknown"),
        (0, 112, "unchanged"),
        (0, 180, "unchanged"),
        (0, 181, "unknown"),
    ],
)
def test_both_windows_are_closed_and_end_where_they_are_cut(before_on, after_on, word):
    evidence = Evidence(
        history([3], [3], before_on, after_on), history([None], [None]), history([None], [None])
    )
    one = np.zeros(1, int)
    found = assess(evidence, load_definition(), one, one, np.array([180]))
    assert found.proteinuria_word.tolist() == [word]


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ("above", ["no", "no", "yes", "unknown"]),
        ("at_least", ["no", "yes", "yes", "unknown"]),
        ("below", ["yes", "no", "no", "unknown"]),
        ("at_most", ["yes", "yes", "no", "unknown"]),
    ],
)
def test_each_comparison_on_below_at_above_and_without_a_value(comparison, expected):
    rule = Rule.model_validate({"all": [{"measure": "proteinuria", comparison: 0.3}]})
    definition = load_definition().model_copy(update={"failed": rule})
    pairs = [(None, 0.2), (None, 0.1 + 0.2), (None, 0.4), (None, None)]
    assert words(response(pairs, definition=definition).failed).tolist() == expected


def test_none_is_the_opposite_of_any():
    parts = [
        {"measure": "proteinuria", "above": 1},
        {"measure": "egfr_baseline", "below": 60},
    ]
    urine = [(None, value) for value in ("2", "1", None)] * 3
    kidney = [(value, None) for value in ("59", "60", None) for _ in range(3)]
    found = {
        join: words(
            response(
                urine,
                kidney,
                definition=load_definition().model_copy(
                    update={"failed": Rule.model_validate({join: parts})}
                ),
            ).failed
        ).tolist()
        for join in ("any", "none")
    }
    turned = {"yes": "no", "no": "yes", "unknown": "unknown"}
    assert found["none"] == [turned[word] for word in found["any"]]
    assert set(found["any"]) == {"yes", "no", "unknown"}
