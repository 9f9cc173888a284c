"""The service: one FastAPI app around one model, to which every part adds its router.

Assumes that the model does not change while the service runs; another model is another process.

To add a part, write ``serving/PART.py`` with ``router(model, settings) -> APIRouter`` and name it
in `PARTS`. A route raises `lnrisk.serving.problems.Problem` for an error and needs no try; it does
its work in a plain ``def``, which runs beside the event loop. Access, limits, audit
and metrics are put around it by `lnrisk.serving.operation.operate`: a route needs to do nothing for
them. In tests, ``Client(create_app(model, Settings()))``.
"""

from collections.abc import Callable

from fastapi import APIRouter, FastAPI

from .. import __version__
from ..model.artifact import RiskModel
from . import api, cds_hooks, fhir, health, open_inference
from .guard.headers import Headers
from .pages import routes as pages
from .problems import install
from .settings import Settings

__all__ = ["PARTS", "create_app"]

PARTS: tuple[Callable[[RiskModel, Settings], APIRouter], ...] = (
    open_inference.router,
    api.router,
    cds_hooks.router,
    fhir.router,
    health.router,
    pages.router,
)
"""Asked in this order for who answers a request, so that the quickest answers come first."""

DESCRIPTION = """Calibrated early risk of refractory lupus nephritis, beside the rule-based label.

Research software, no medical device. Dates are ISO 8601, units UCUM; a probability is 0 to 1.
"""


def create_app(model: RiskModel, settings: Settings) -> FastAPI:
    """Return the service for a model.

    Parameters
    ----------
    model : RiskModel
        Loaded, and so intact.
    settings : Settings
    """
    app = FastAPI(
        title="lnrisk",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for part in PARTS:
        app.router.routes += part(model, settings).routes
    install(app)
    app.add_middleware(Headers)
    return app
