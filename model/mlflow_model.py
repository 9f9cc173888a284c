"""The model as MLflow loads it: this file is the code, the model file beside it the coefficients.

Assumes that lnrisk is installed where it is loaded. MLflow runs a copy of this file, which is why
its imports are absolute; nothing is unpickled.
"""

import logging
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from lnrisk.model.artifact import RiskModel, load_model

logger = logging.getLogger(__name__)


class RiskFunction(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """``predict`` takes features and gives risk, risk_lower and risk_upper."""

    def load_context(self, context: Any) -> None:
        """Read and verify the model file."""
        self.model: RiskModel = load_model(context.artifacts["model"])

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return calibrated risks; a column that is absent is taken as missing, and said so."""
        absent = [name for name in self.model.input_names if name not in model_input.columns]
        if absent:
            logger.warning("taken as missing: %s", ", ".join(absent))
            model_input = model_input.assign(**dict.fromkeys(absent, np.nan))
        lower, upper = self.model.interval(model_input)
        return pd.DataFrame(
            {"risk": self.model.predict(model_input), "risk_lower": lower, "risk_upper": upper}
        )


mlflow.models.set_model(RiskFunction())
