"""The first screen: the numbers a trialist wants, and what would change their mind."""

import pytest
from full_results import bare_results, full_results
from lnrisk.training.report.summary import doubts, headline, not_done, tiles
from lnrisk.training.schema.results import as_results


def changed(**sections):
    return as_results({**full_results(), **sections})


def with_measure(name, **values):
    rows = [
        {**row, **values} if row["measure"] == name else row
        for row in full_results()["performance"]
    ]
    return changed(performance=rows)


def said(results):
    return " ".join(doubts(results))


def test_the_headline_counts_patients_and_events():
    cohort = full_results()["cohort"]
    text = headline(changed())
    assert f"{cohort['patients']:,}" in text
    assert f"{cohort['events']} met the definition by day 548" in text


def test_without_a_section_the_tile_says_that_it_is_not_known():
    found = {tile.name: tile.value for tile in tiles(as_results(bare_results()))}
    assert found == {
        "Patients": "not known",
        "AUROC": "not done",
        "Calibration slope": "not done",
        "AUROC in a new centre": "not known",
    }


@pytest.mark.parametrize(
    ("slope", "fine", "words"),
    [(0.8, False, "too extreme"), (1.0, True, "as they should be"), (1.3, False, "too timid")],
)
def test_calibration_is_judged_by_fixed_bounds(slope, fine, words):
    results = with_measure("calibration_slope", estimate=slope)
    tile = tiles(results)[2]
    assert tile.fine is fine
    assert words in tile.verdict
    assert ("calibration slope is" in said(results)) is not fine


def test_what_to_doubt_follows_from_the_results():
    assert "the patients are simulated" in said(changed())
    assert "the patients are simulated" not in said(changed(synthetic=False))
    size = full_results()["sample_size"]
    assert "afford 14 parameters" in said(changed())
    assert "afford" not in said(changed(sample_size={**size, "too_small": False}))
    assert "truly failed in 88%" in said(changed())
    meaning = next(f["meaning"] for f in full_results()["features"] if f["name"] == "upcr_level")
    assert f"such as {meaning}" in said(changed())
    assert "upcr_level" in said(changed(features=[]))
    assert "foresight" not in said(changed(overlap=[]))
    assert "overlap of inputs and definition" in not_done(changed(overlap=[]))
    assert "its interval runs from 0.60 to 0.90" in said(
        with_measure("auroc", lower=0.6, upper=0.9)
    )


def test_events_that_are_only_expected_are_doubted():
    few = {**full_results()["cohort"], "events": 4}
    enough = {**full_results()["sample_size"], "too_small": False}
    assert "4 events are known" in said(changed(cohort=few))
    assert "events are known" not in said(changed())
    assert tiles(changed(sample_size=enough))[0].fine is True
    tile = tiles(changed(sample_size=enough, cohort=few))[0]
    assert (tile.verdict, tile.fine) == ("Nearly all events are expected, not known.", False)


def test_a_definition_that_moves_the_figures_is_named():
    assert "with arora-2022-and the AUROC is 0.84" in said(changed())
    own = next(r["estimate"] for r in full_results()["performance"] if r["measure"] == "auroc")
    rows = [{**row, "estimate": own} for row in full_results()["sensitivity"]]
    assert "choice of definition" not in said(changed(sensitivity=rows))


def test_what_was_left_out_is_listed():
    assert not_done(changed()) == []
    empty = {"rows": [], "pooled": [], "remarks": ["not asked for."]}
    for nothing in (None, empty):
        assert not_done(changed(centres=nothing)) == ["validation centre by centre"]
    assert "instability of the risks" in said(as_results(bare_results()))
