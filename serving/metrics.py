"""What the service counts, for Prometheus: requests, time, refusals, scores, failures to record.

Assumes one process per registry. Labels hold routes and statuses, never an address that was asked,
so that their number is bounded and no value of a patient is in them.
"""

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import __version__
from ..model.artifact import RiskModel
from .guard.access_log import route_of

__all__ = ["CONTENT_TYPE", "Measured", "Metrics"]

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
RISKS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
READINESS = "/readyz"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Metrics:
    """The counters of one service.

    Parameters
    ----------
    model : RiskModel
    """

    def __init__(self, model: RiskModel) -> None:
        self.registry = CollectorRegistry()
        of = self.registry
        self.requests = Counter(
            "lnrisk_requests", "Requests answered.", ["method", "route", "status"], registry=of
        )
        self.seconds = Histogram(
            "lnrisk_request_seconds",
            "Time to the last byte.",
            ["route"],
            buckets=SECONDS,
            registry=of,
        )
        self.in_progress = Gauge("lnrisk_requests_in_progress", "Being answered.", registry=of)
        self.refusals = Counter(
            "lnrisk_refusals",
            "Requests refused before the application, by reason.",
            ["reason"],
            registry=of,
        )
        self.assessments = Counter(
            "lnrisk_assessments", "Patients assessed, by status.", ["status"], registry=of
        )
        self.risks = Histogram(
            "lnrisk_risk", "Risks that the model gave.", buckets=RISKS, registry=of
        )
        self.missing = Counter(
            "lnrisk_missing_terms", "Values that were missing, by term.", ["term"], registry=of
        )
        self.audit_failures = Counter(
            "lnrisk_audit_failures", "Entries that could not be written.", registry=of
        )
        self.ready = Gauge("lnrisk_ready", "1 when /readyz last said so.", registry=of)
        self.request = cache(self.requests.labels)
        self.request_seconds = cache(self.seconds.labels)
        self.assessment = cache(self.assessments.labels)
        about = Gauge(
            "lnrisk_model_info",
            "Which model answers; always 1.",
            ["version", "sha256", "definition", "synthetic", "software"],
            registry=of,
        )
        rule = f"{model.definition.name} {model.definition.version}"
        synthetic = str(model.synthetic).lower()
        about.labels(model.version, model.sha256, rule, synthetic, __version__).set(1)

    def noted(self, notes: list[dict[str, Any]]) -> None:
        """Count the patients of a request."""
        for each in notes:
            if each.get("note") != "assessment":
                continue
            self.assessment(each["status"]).inc()
            if each["status"] == "ok":
                self.risks.observe(each["risk"])
            for term, value in each.get("terms", {}).items():
                if value is None:
                    self.missing.labels(term).inc()

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self.registry)


@dataclass(frozen=True)
class Measured:
    """Counts and times every request."""

    app: ASGIApp
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        began, status = time.perf_counter(), "aborted"

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        self.metrics.in_progress.inc()
        try:
            await self.app(scope, receive, noted)
        finally:
            route = route_of(scope)
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.metrics.in_progress.dec()
            self.metrics.request(method, route, status).inc()
            self.metrics.request_seconds(route).observe(time.perf_counter() - began)
            if scope["path"] == READINESS:
                self.metrics.ready.set(status == "200")
            refused = scope.get("state", {}).get("refused")
            if refused:
                self.metrics.refusals.labels(refused).inc()
