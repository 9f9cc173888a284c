"""The native API: risk and label of one patient or of many, the model card, health.

Assumes JSON in the shape of `lnrisk.serving.patient_input`; what the answers hold is described in
`lnrisk.serving.assessment`.
"""

import datetime
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ..model.artifact import RiskModel
from .assessment import Assessment, assess
from .patient_input import check_patient
from .problems import ProblemDetails, documented
from .settings import Settings

__all__ = ["PatientRequest", "assess_request", "router"]

Row = dict[str, Any]


class PatientRequest(BaseModel):
    """One patient, and the day as of which to answer."""

    model_config = ConfigDict(extra="forbid")

    as_of: Annotated[datetime.date, Field(description="What is dated later is not looked at.")]
    patients: Annotated[list[Row], Field(min_length=1, max_length=1, description="One row.")]
    measurements: list[Row] = []
    treatments: list[Row] = []
    events: list[Row] = []
    biopsies: list[Row] = []
    adherence: list[Row] = []

    @property
    def tables(self) -> dict[str, list[Row]]:
        """The rows by table."""
        names = ("patients", "measurements", "treatments", "events", "biopsies", "adherence")
        return {name: getattr(self, name) for name in names}


def assess_request(model: RiskModel, request: PatientRequest) -> Assessment:
    """Check one patient and assess them.

    Raises
    ------
    Problem
        422 where a row is wrong.
    """
    checked = check_patient(request.tables)
    (answer,) = assess(model, checked.registry, request.as_of)
    return replace(answer, warnings=(*checked.warnings, *answer.warnings))


def router(model: RiskModel, settings: Settings) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.post("/v1/risk", responses={**documented(400, 422), 500: {"model": ProblemDetails}})
    def risk(request: PatientRequest) -> Assessment:
        """Risk beside the rule for one patient."""
        return assess_request(model, request)

    @routes.get("/healthz")
    def healthz() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok"}

    return routes
