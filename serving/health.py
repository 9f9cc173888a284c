"""Whether the service lives, and whether it can answer.

Assumes that a service that cannot score its own example cannot score patients either: the example
goes the whole way, from rows to risk, each time that readiness is asked for.
"""

import logging
from functools import partial
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from ..features.errors import LnriskError
from ..model.artifact import RiskModel
from .answers import assess_request
from .problems import Problem, documented
from .rows import EXAMPLE, PatientTables
from .settings import Settings
from .work import Work

__all__ = ["Health", "ready", "router"]

logger = logging.getLogger(__name__)


class Health(BaseModel):
    """A service that answers."""

    status: Literal["ok"] = "ok"


def ready(model: RiskModel) -> None:
    """Score the made-up patient of the API's description.

    Raises
    ------
    Problem
        503 when that fails.
    """
    try:
        assess_request(model, PatientTables.model_validate(EXAMPLE))
    except (LnriskError, Problem, ArithmeticError, LookupError, TypeError, ValueError) as error:
        logger.error("the example cannot be scored: %s", error)
        raise Problem(503, "The model cannot score the service's own example.") from error


def router(model: RiskModel, settings: Settings) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    work = Work(settings.longest_seconds)

    @routes.get("/livez")
    @routes.get("/healthz")
    async def live() -> Health:
        """Say that the process answers."""
        return Health()

    @routes.get("/readyz", responses=documented(503, 504))
    async def can_answer() -> Health:
        """Score the service's own example."""
        await work.run(partial(ready, model))
        return Health()

    return routes
