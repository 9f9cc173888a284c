"""The native API: risk and label of one patient or of many, the model card, health.

Assumes JSON in the shape of `lnrisk.serving.patient_input`; what the answers hold is described in
`lnrisk.serving.assessment`.
"""

from dataclasses import replace

from fastapi import APIRouter

from ..model.artifact import RiskModel
from .assessment import Assessment, assess
from .patient_input import check_patient
from .problems import ProblemDetails, documented
from .rows import PatientTables
from .settings import Settings

__all__ = ["assess_request", "router"]


def assess_request(model: RiskModel, request: PatientTables) -> Assessment:
    """Check one patient and assess them.

    Raises
    ------
    Problem
        422 where a row is wrong.
    """
    checked = check_patient(request.tables)
    (answer,) = assess(model, checked.registry, request.day)
    return replace(answer, warnings=(*checked.warnings, *answer.warnings))


def router(model: RiskModel, settings: Settings) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.post("/v1/risk", responses={**documented(400, 422), 500: {"model": ProblemDetails}})
    def risk(request: PatientTables) -> Assessment:
        """Risk beside the rule for one patient."""
        return assess_request(model, request)

    @routes.get("/healthz")
    def healthz() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok"}

    return routes
