"""The model as MLflow loads it: this file is the code, the model file beside it the coefficients.

``predict`` takes a DataFrame of one row for each patient, either

- features: the model's inputs, as ``lnrisk features --model`` writes them. A column that is absent
  is taken as missing, and said so.
- tables: one column ``tables``, each cell the JSON that ``/v1/risk`` takes, with the patient's rows
  by table and the day to answer for. MLflow has no signature for several tables of different
  lengths; text passes through its server, Spark and its input checks unchanged.

It gives risk, risk_lower, risk_upper, status and warnings. A patient whom the model must not score
has no risk (nan); the status says so, and warnings why.

Assumes that lnrisk is installed where it is loaded. MLflow runs a copy of this file, which is why
its imports are absolute; nothing is unpickled.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd
from lnrisk.features.days import day_of
from lnrisk.features.errors import LnriskError
from lnrisk.features.laboratory import LANDMARK_MONTH
from lnrisk.model.artifact import RiskModel
from lnrisk.model.loading import load_model
from lnrisk.serving.column_scoring import ColumnScores, landmarks_of, score_columns
from lnrisk.serving.patient_input import CheckedPatients, check_patient, check_patients
from lnrisk.serving.problems import Problem
from lnrisk.serving.refusals import unlike_training
from lnrisk.serving.rows import PatientTables
from lnrisk.serving.scoring import scored
from pydantic import ValidationError

logger = logging.getLogger(__name__)

TABLES = "tables"


class RiskFunction(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """``predict`` takes features or tables, and gives risks with their status."""

    def load_context(self, context: Any) -> None:
        """Read and verify the model file."""
        self.model: RiskModel = load_model(context.artifacts["model"])

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return one row for each row given.

        Raises
        ------
        LnriskError
            When there is no column of the model's, features and tables are mixed, or a patient's
            tables are not accepted: row and field are named, and nobody is scored.
        """
        if TABLES not in model_input.columns:
            return self._of_features(model_input)
        features = [name for name in self.model.input_names if name in model_input.columns]
        if features:
            raise LnriskError(
                f"features ({features[0]}) beside the column {TABLES!r}; give one or the other."
            )
        return self._of_tables(model_input[TABLES].tolist(), model_input.index)

    def _of_features(self, features: pd.DataFrame) -> pd.DataFrame:
        absent = [name for name in self.model.input_names if name not in features.columns]
        if len(absent) == len(self.model.input_names):
            raise LnriskError(
                f"none of the model's {len(absent)} columns is there; it takes features as "
                f"`lnrisk features --model` writes them, or one column {TABLES!r}."
            )
        said = f"taken as missing: {', '.join(absent)}" if absent else ""
        if absent:
            logger.warning(said)
        missing = np.full(len(features), np.nan)
        columns = {
            name: missing
            if name in absent
            else features[name].to_numpy(dtype=np.float64, na_value=np.nan)
            for name in self.model.input_names
        }
        found = score_columns(self.model, columns)
        return pd.DataFrame(
            {
                "risk": found.risk,
                "risk_lower": found.risk_lower,
                "risk_upper": found.risk_upper,
                "status": found.status,
                "warnings": [
                    "; ".join(part for part in (why, said) if part)
                    for why in _why_not(self.model, columns, found)
                ],
            },
            index=features.index,
        )

    def _of_tables(self, texts: Sequence[str], index: pd.Index) -> pd.DataFrame:
        patients = [_patient(row, text) for row, text in enumerate(texts)]
        checked = check_patients([patient.tables for patient in patients])
        _refuse(checked, patients)
        days = np.array([day_of(patient.day) for patient in patients], dtype=np.int64)
        found = scored(self.model, checked.registry, days)
        warnings = [
            "; ".join(part for part in (*(each.text for each in odd), why) if part)
            for odd, why in zip(checked.cautions, found.why, strict=True)
        ]
        return pd.DataFrame(
            {
                "risk": found.risk,
                "risk_lower": found.lower,
                "risk_upper": found.upper,
                "status": found.status,
                "warnings": warnings,
            },
            index=index,
        )


def _why_not(
    model: RiskModel, columns: Mapping[str, npt.NDArray[np.float64]], found: ColumnScores
) -> list[str]:
    """Return for each row why it has no risk; empty where it has one."""
    texts = [""] * len(found.status)
    days = landmarks_of(model, columns[LANDMARK_MONTH])
    refusals = unlike_training(model, columns[model.required_feature], found.terms)
    for row in np.flatnonzero(found.status != "ok").tolist():
        if days[row] is None:
            first, last = model.landmarks[0], model.landmarks[-1]
            texts[row] = f"{LANDMARK_MONTH} is missing, or not of a day from {first} to {last}"
        else:
            texts[row] = next(one.reason(row).text for one in refusals if one.who[row])
    return texts


def _patient(row: int, text: str) -> PatientTables:
    try:
        return PatientTables.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = "/".join(map(str, first["loc"])) or "the whole"
        raise LnriskError(f"row {row} of {TABLES}, {place}: {first['msg']}.") from error


def _refuse(checked: CheckedPatients, patients: Sequence[PatientTables]) -> None:
    """Refuse all when one has an error; the checks say which field of whom."""
    for row in checked.apart:
        try:
            check_patient(patients[row].tables)
        except Problem as problem:
            said = "; ".join(f"{one.pointer}: {one.detail}" for one in problem.errors)
            raise LnriskError(f"row {row} of {TABLES}: {said}") from problem


mlflow.models.set_model(RiskFunction())
