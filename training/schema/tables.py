"""The sections of the results that are lists, as tables and as Parquet files.

Assumes that every row of a section has the section's columns; what a row lacks is null. The file's
metadata names schema and section, so that a single table says what it is.
"""

import os
import tempfile
import types
import typing
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ...features.errors import LnriskError
from .part import Part
from .results import PLP_MEASURES, Results

__all__ = ["SECTIONS", "read_table", "tables", "write_tables"]

SECTIONS = (
    "attrition",
    "cohort.landmarks",
    "sample_size.criteria",
    "baseline",
    "performance",
    "performance_by_landmark",
    "auroc_in_time",
    "optimism",
    "calibration_curve",
    "calibration_groups",
    "calibration_by_landmark",
    "roc_curve",
    "flagged",
    "net_benefit",
    "comparators",
    "candidates",
    "centres.rows",
    "centres.pooled",
    "centres.calibration_by_centre",
    "instability.points",
    "instability.changed_class",
    "spread",
    "learning_curve",
    "subgroups",
    "sensitivity",
    "label_certainty.verdicts",
    "agreement",
    "overlap",
    "effects",
    "features",
    "features_left_out",
)
_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def tables(results: Results) -> dict[str, pa.Table]:
    """Return the tables of the sections that are there.

    Parameters
    ----------
    results : Results

    Returns
    -------
    dict of str to pyarrow.Table
        By section, such as ``"centres.rows"``; a measure is also named as PatientLevelPrediction
        does (``plp_name``).
    """
    found = {}
    for section in SECTIONS:
        rows = _rows(results, section)
        if rows:
            found[section] = _table(rows, results.schema_name, section)
    return found


def write_tables(results: Results, folder: str | os.PathLike[str]) -> None:
    """Write every table as ``SECTION.parquet`` into a folder, which is made.

    Parameters
    ----------
    results : Results
    folder : path-like

    Raises
    ------
    LnriskError
        When a table cannot be written; then none has been.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target) as aside:
            for section, table in tables(results).items():
                pq.write_table(table, f"{aside}/{section}.parquet", compression="zstd")
            for path in Path(aside).iterdir():
                path.replace(target / path.name)
    except OSError as error:
        raise LnriskError(f"{folder}: cannot be written: {error}") from error


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read one table.

    Parameters
    ----------
    path : path-like
        As `write_tables` wrote it.

    Raises
    ------
    LnriskError
        When the file is not a table of results.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise LnriskError(f"{path}: cannot be read as Parquet: {error}") from error
    schema = (table.schema.metadata or {}).get(b"lnrisk.schema", b"none").decode()
    if not schema.startswith("lnrisk.results/"):
        raise LnriskError(f"{path}: a table of schema {schema!r}; expected 'lnrisk.results/2'.")
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _rows(results: Results, section: str) -> list[Part]:
    value: Any = results
    for name in section.split("."):
        value = getattr(value, name, None)
    return list(value or [])


def _table(rows: list[Part], schema: str, section: str) -> pa.Table:
    fields = [
        pa.field(name, _arrow(field.annotation))
        for name, field in type(rows[0]).model_fields.items()
    ]
    records = [row.model_dump(include={field.name for field in fields}) for row in rows]
    if section == "effects":
        records = [{**row, "values": [_text(value) for value in row["values"]]} for row in records]
    if section == "comparators":
        records = [{**row, "needs": _text(row["needs"])} for row in records]
    if any(field.name == "measure" for field in fields):
        fields.append(pa.field("plp_name", pa.string()))
        records = [{**row, "plp_name": PLP_MEASURES.get(row["measure"])} for row in records]
    about = {"lnrisk.schema": schema, "lnrisk.section": section}
    return pa.Table.from_pylist(records, schema=pa.schema(fields, metadata=about))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _arrow(annotation: Any) -> Any:
    """Return the Arrow type of a field; what may be text or a number is kept as text."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _arrow(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        chosen = [a for a in typing.get_args(annotation) if a is not type(None)]
        return _arrow(chosen[0]) if len(chosen) == 1 else pa.string()
    if typing.get_origin(annotation) is list:
        return pa.list_(_arrow(typing.get_args(annotation)[0]))
    return _TYPES[annotation]
