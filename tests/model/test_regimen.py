"""A regimen is the set of its anchor classes."""

from functools import reduce
from itertools import combinations

import numpy as np
import pytest
from lnrisk.features.vocabulary import drugs
from lnrisk.model.regimen import CLASS_BITS, class_bits, has_class, regimen_names

CLASSES = {
    "mycophenolate_mofetil": "MPA",
    "mycophenolic_acid": "MPA",
    "cyclophosphamide": "CYC",
    "tacrolimus": "CNI",
    "voclosporin": "CNI",
    "cyclosporine": "CNI",
    "belimumab": "BEL",
    "obinutuzumab": "OBI",
}
SUBSETS = [set(s) for size in range(6) for s in combinations(CLASS_BITS, size)]


def bits(classes):
    return np.array([reduce(lambda total, name: total | CLASS_BITS[name], classes, 0)])


def test_every_drug_of_the_vocabulary_has_the_class_of_the_definition_or_none():
    found = regimen_names(class_bits(np.array(list(drugs()))))
    assert dict(zip(drugs(), found.tolist(), strict=True)) == {
        name: CLASSES.get(name, "") for name in drugs()
    }
    assert set(CLASSES) <= set(drugs())


@pytest.mark.parametrize("classes", SUBSETS, ids=lambda s: "+".join(sorted(s)) or "none")
def test_a_set_is_named_in_alphabetical_order_and_asked_class_by_class(classes):
    assert regimen_names(bits(classes)).tolist() == ["+".join(sorted(classes))]
    assert {name for name in CLASS_BITS if has_class(bits(classes), name)[0]} == classes


def test_different_sets_are_different_numbers():
    assert len({int(bits(s)[0]) for s in SUBSETS}) == len(SUBSETS) == 32


def test_a_drug_that_nobody_knows_is_no_anchor():
    assert class_bits(np.array(["tacrolimus", "", "aspirin"])).tolist() == [
        CLASS_BITS["CNI"],
        0,
        0,
    ]


def test_no_drug_is_no_number():
    assert class_bits(np.array([], dtype=str)).tolist() == []
