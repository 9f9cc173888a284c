"""A regimen as a set of anchor classes, held in the bits of one number.

Assumes the five anchor classes of the definition.
"""

import numpy as np
import numpy.typing as npt

from ..features.days import Days
from ..features.vocabulary import ANCHOR_CLASSES, drugs

__all__ = ["CLASS_BITS", "class_bits", "has_class", "regimen_names"]

CLASS_BITS = {name: 1 << position for position, name in enumerate(ANCHOR_CLASSES)}

_NAMES = np.array(
    [
        "+".join(name for name, bit in CLASS_BITS.items() if bits & bit)
        for bits in range(1 << len(CLASS_BITS))
    ]
)


def class_bits(drug: npt.NDArray[np.str_]) -> Days:
    """Return each drug's class bit; 0 where it is no anchor.

    Examples
    --------
    >>> regimen_names(class_bits(np.array(["tacrolimus", "prednisone"]))).tolist()
    ['CNI', '']
    """
    bits = np.zeros(len(drug), dtype=np.int64)
    for known in drugs().values():
        if known.anchor_class:
            bits[drug == known.name] = CLASS_BITS[known.anchor_class]
    return bits


def has_class(regimen: Days, name: str) -> npt.NDArray[np.bool_]:
    """Return whether regimens have a class."""
    return (regimen & CLASS_BITS[name]) > 0


def regimen_names(regimen: Days) -> npt.NDArray[np.str_]:
    """Return regimens as text, classes joined by ``+`` in alphabetical order.

    Examples
    --------
    >>> regimen_names(np.array([CLASS_BITS["MPA"] | CLASS_BITS["CNI"]])).tolist()
    ['CNI+MPA']
    """
    return _NAMES[regimen]
