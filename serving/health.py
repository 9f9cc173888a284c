"""Whether the service lives, and whether it can answer.

Assumes that a service that cannot score its own example cannot score patients either: the example
goes the whole way, from rows to risk, each time that readiness is asked for.
"""

import logging
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from ..features.errors import LnriskError
from ..model.artifact import RiskModel
from .answers import assess_request
from .assessment import Assessment
from .problems import Problem, documented
from .rows import EXAMPLE, PatientTables
from .settings import Settings
from .work import Work

__all__ = ["Example", "Health", "router"]

logger = logging.getLogger(__name__)


class Health(BaseModel):
    """A service that answers."""

    status: Literal["ok"] = "ok"


class Example:
    """The made-up patient of the API's description, and what the model first said of them."""

    def __init__(self, model: RiskModel) -> None:
        self._model = model
        self._request = PatientTables.model_validate(EXAMPLE)
        self._first: Assessment | None = None

    def check(self) -> None:
        """Assess the example again.

        Raises
        ------
        Problem
            503 when that fails, or says something else than the first time.
        """
        try:
            answer = assess_request(self._model, self._request)
        except (LnriskError, Problem, ArithmeticError, LookupError, TypeError, ValueError) as error:
            logger.error("the example cannot be scored: %s", error)
            raise Problem(503, "The model cannot score the service's own example.") from error
        if self._first is None:
            self._first = answer
        if answer != self._first:
            logger.error("the example is not scored as it was when the service started")
            raise Problem(503, "The model does not score the service's own example as it did.")


def router(model: RiskModel, settings: Settings) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    work, example = Work(settings.longest_seconds), Example(model)

    @routes.get("/livez")
    @routes.get("/healthz")
    async def live() -> Health:
        """Say that the process answers."""
        return Health()

    @routes.get("/readyz", responses=documented(503, 504))
    async def can_answer() -> Health:
        """Score the service's own example."""
        await work.run(example.check)
        return Health()

    return routes
