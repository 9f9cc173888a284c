"""Within-person variation: the published points, what lies between, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lnrisk.features.errors import DefinitionError
from lnrisk.model.variation import load_variation

KIND = '[{}]\nlevels = {}\ncoefficients = {}\nsource = "a test"\n'


def written(folder, levels="[0.2, 2.0]", coefficients="[0.5, 0.2]"):
    file = folder / "mine.toml"
    kinds = ("upcr", "protein_24h", "egfr")
    text = "".join(KIND.format(kind, levels, coefficients) for kind in kinds)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(("level", "limit"), [(0.18, 1.60), (1.77, 0.50)])
def test_the_change_beyond_variation_is_the_published_one(level, limit):
    variation = load_variation().upcr
    coefficient = np.sqrt(np.expm1(variation.log_sd(np.array([level])) ** 2))
    assert 1.96 * np.sqrt(2) * coefficient[0] == pytest.approx(limit, abs=0.01)


def test_the_change_of_egfr_beyond_variation_is_the_published_one():
    sd = load_variation().egfr.log_sd(np.array([80.0]))[0]
    assert 1.96 * np.sqrt(2) * sd == pytest.approx(0.165, abs=0.005)


@given(st.floats(0, 100), st.floats(0, 100))
def test_higher_proteinuria_never_varies_more(one, other):
    low, high = load_variation().upcr.log_sd(np.array(sorted((one, other))))
    assert low >= high > 0


@pytest.mark.parametrize(
    ("levels", "coefficients", "said"),
    [
        ("[0.2, 2.0]", "[0.5]", "one coefficient for each level"),
        ("[2.0, 0.2]", "[0.5, 0.2]", "ascending"),
        ("[0.2, 2.0]", "[0.5, 0.0]", "all positive, or all 0"),
        ("[]", "[]", "levels"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, levels, coefficients, said):
    with pytest.raises(DefinitionError, match=said):
        load_variation(written(tmp_path, levels, coefficients))


def test_no_table_is_refused(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[upcr", encoding="utf-8")
    with pytest.raises(DefinitionError, match="not a readable TOML file"):
        load_variation(file)


def test_assumptions_name_every_kind_and_its_doubts():
    upcr, protein, egfr = load_variation().assumptions
    assert "58% at 0.18" in upcr
    assert "Not verified" in protein
    assert "Front Med" in egfr
