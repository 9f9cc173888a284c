"""A column of text as its distinct texts and which of them each row has.

Assumes that texts repeat: a drug, a unit or a day is written in many rows, and whatever is asked of
it is asked once for each distinct text.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Texts", "as_text"]


@dataclass(frozen=True)
class Texts:
    """A column of trimmed text.

    Parameters
    ----------
    codes : ndarray of int, shape (n_rows,)
        Positions in `distinct`.
    distinct : ndarray of str objects, shape (n_texts,)
        Each once, in the order in which rows have them; a missing cell is the empty text.
    """

    codes: npt.NDArray[np.intp]
    distinct: npt.NDArray[np.object_]

    @classmethod
    def of(cls, cells: "pd.Series[Any]") -> "Texts":
        """Return the texts of cells.

        Examples
        --------
        >>> Texts.of(pd.Series([" mg", None, "mg"])).distinct.tolist()
        ['mg', '']
        """
        if not isinstance(cells.dtype, pd.CategoricalDtype):
            return cls(*_factorized(as_text(cells)))
        names = as_text(pd.Series(cells.cat.categories)).tolist()
        return cls.at(cells.cat.codes.to_numpy(), [*names, ""])

    @classmethod
    def at(cls, codes: npt.NDArray[np.integer[Any]], texts: Sequence[str]) -> "Texts":
        """Return the texts at positions, of which -1 is the last; `texts` may repeat.

        Examples
        --------
        >>> Texts.at(np.array([2, 0, -1]), ["mg", "g", "mg"]).codes.tolist()
        [0, 0, 0]
        """
        rows, used = pd.factorize(codes)
        written = [texts[code] for code in used.tolist()]
        merged, distinct = _factorized(pd.Series(written, dtype="str"))
        return cls(merged[rows], distinct)

    @classmethod
    def listed(cls, texts: Sequence[str]) -> "Texts":
        """Return the texts of a list; for few rows.

        Examples
        --------
        >>> Texts.listed([" mg", "", "mg"]).codes.tolist()
        [0, 1, 0]
        """
        place: dict[str, int] = {}
        codes = [place.setdefault(text.strip(), len(place)) for text in texts]
        return cls(np.array(codes, dtype=np.intp), np.array([*place], dtype=object))

    @classmethod
    def empty(cls, n: int) -> "Texts":
        """Return the texts of a column that is not there."""
        return cls(np.zeros(n, dtype=np.intp), np.array([""], dtype=object))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.codes)

    def __getitem__(self, row: int) -> str:
        """Return the text of a row."""
        return str(self.distinct[self.codes[row]])

    def among(self, texts: Collection[str]) -> npt.NDArray[np.bool_]:
        """Return which rows have one of some texts, shape (n_rows,)."""
        listed = np.fromiter((text in texts for text in self.distinct), bool, len(self.distinct))
        found: npt.NDArray[np.bool_] = listed[self.codes]
        return found

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Which rows have no text, shape (n_rows,)."""
        return self.among(("",))

    @property
    def repeated(self) -> npt.NDArray[np.bool_]:
        """Which rows have the text of an earlier one, shape (n_rows,)."""
        again: npt.NDArray[np.bool_] = pd.Series(self.codes).duplicated().to_numpy()
        return again

    def numbers(self, meant: Mapping[str, float]) -> npt.NDArray[np.float64]:
        """Return the number that each row's text stands for; nan where none, shape (n_rows,)."""
        each = np.array([meant.get(text, np.nan) for text in self.distinct], dtype=np.float64)
        found: npt.NDArray[np.float64] = each[self.codes]
        return found

    def series(self, chosen: npt.NDArray[np.bool_]) -> "pd.Series[Any]":
        """Return the text of the chosen rows."""
        return pd.Series(pd.Series(self.distinct, dtype="str").array[self.codes[chosen]])

    def categorical(self) -> pd.Categorical:
        """Return the texts as a categorical with the distinct ones in order."""
        order = np.argsort(self.distinct, kind="stable")
        rank = np.empty(len(order), dtype=np.intp)
        rank[order] = np.arange(len(order))
        categories = pd.Index(self.distinct[order], dtype="str")
        return pd.Categorical.from_codes(rank[self.codes], categories=categories)


def _factorized(
    texts: "pd.Series[Any]",
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.object_]]:
    codes, distinct = pd.factorize(texts)
    return codes, distinct.to_numpy(dtype=object)


def as_text(cells: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return cells as trimmed text; a missing one is the empty text."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        cells = cells.astype(cells.cat.categories.dtype)
    if isinstance(cells.dtype, pd.StringDtype):
        return cells.astype("str").fillna("").str.strip()
    return cells.astype("string").fillna("").str.strip().astype("str")
