"""What the concepts of an OMOP CDM are, and the columns of text that name them.

Assumes that a concept's id, or its code in its own vocabulary, says what it is.
"""

from collections.abc import Iterable, Mapping

import pandas as pd

from .codes import Codes, Meaning
from .omop_tables import CdmTables

__all__ = ["NONE", "Vocabulary", "dates", "firsts", "named"]

NONE = ("", "0")
"""Concept ids that stand for no concept."""


class Vocabulary:
    """What concepts are, as far as codes.toml and the instance's own vocabulary say."""

    def __init__(self, cdm: CdmTables, codes: Codes, used: set[str]) -> None:
        self.codes = codes
        self.concepts: dict[str, tuple[str, str, str]] = {}
        known = {
            code.casefold()
            for system in ("rxnorm", "atc")
            for code in codes.codes_of("drug", system)
        }
        columns = ("concept_id", "concept_name", "vocabulary_id", "concept_code")
        for piece in cdm.pieces("concept", columns):
            ingredient = piece["vocabulary_id"].isin(("RxNorm", "ATC"))
            ingredient &= piece["concept_code"].str.casefold().isin(known)
            kept = piece[piece["concept_id"].isin(used) | ingredient]
            for concept, name, vocabulary, code in kept[list(columns)].itertuples(index=False):
                self.concepts[concept] = (name, vocabulary, code)

    def name(self, concept: str) -> str:
        """Return a concept's name, or nothing."""
        return self.concepts.get(concept, ("", "", ""))[0]

    def label(self, concept: str) -> str:
        """Return a concept as a report names it."""
        return f"concept {concept} {self.name(concept)}".strip()

    def find(self, kinds: Iterable[str], concept: str) -> Meaning | None:
        """Return what a concept means, by its id or by its code in its own vocabulary."""
        _, vocabulary, code = self.concepts.get(concept, ("", "", ""))
        refused = None
        for kind in kinds:
            for system, written in (("omop", concept), (vocabulary, code)):
                found = self.codes.find(kind, system, written)
                if found is not None and found.kind != "refused":
                    return found
                refused = refused or found
        return refused

    def unit(self, concept: str) -> str:
        """Return the unit of a unit concept; empty where it is not known."""
        code = self.codes.content["omop_units"].get(concept)
        if code is None:
            _, vocabulary, written = self.concepts.get(concept, ("", "", ""))
            code = written if vocabulary == "UCUM" else ""
        return self.codes.unit(code)


def named(cells: "pd.Series[str]", names: Mapping[str, str]) -> "pd.Series[str]":
    """Return what each cell is named; empty where it is not."""
    return cells.map(lambda cell: names.get(cell, "")).astype("str")


def firsts(rows: pd.DataFrame, column: str) -> "pd.Series[str]":
    """Return the first row's identifier for each value of a column."""
    found: pd.Series[str] = rows.drop_duplicates(column).set_index(column)["row"]
    return found


def dates(cells: "pd.Series[str]") -> "pd.Series[str]":
    """Return the day of each date or datetime."""
    return cells.str.slice(0, 10)
