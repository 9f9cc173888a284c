"""Everything around the application, in the order in which a request meets it.

Counted and logged first, then given its headers, then stopped where it may not go on; recorded
last, so that what is in the audit log is what the application saw.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.types import ASGIApp

from .. import __version__
from ..model.artifact import RiskModel
from .audit.archive import Archive
from .audit.log import AuditLog
from .audit.recording import Recorder, Recording
from .guard.access import OPEN_PATHS, Access, Login
from .guard.access_log import AccessLog, Failures
from .guard.cds_clients import CdsAccess, CdsClients
from .guard.headers import Headers
from .guard.hosts import Hosts, names_of
from .guard.limits import BodyLimit, Buckets, RateLimit
from .metrics import CONTENT_TYPE, Measured, Metrics
from .silent import Silent, describe_silence

__all__ = ["Operation", "operate"]

LARGEST_BODY = 8 << 20
BURST_SECONDS = 5.0


@dataclass(frozen=True)
class Operation:
    """How a site runs the service.

    Parameters
    ----------
    host : str
        Address that it listens on.
    allowed_hosts : tuple of str
        Other names under which it is asked.
    login : Login
    encrypted : bool
        Whether clients talk TLS.
    per_second : float or None
        Requests that one client may make; None for no limit.
    largest_body : int
        Bytes of a request.
    log : AuditLog or None
    archive_inputs : bool
        Whether what is sent is kept beside the log.
    pseudonym : callable or None
        Makes a keyed hash of a patient identifier.
    silent : bool
        Score, log, show nothing.
    cds_clients : CdsClients or None
        Whose CDS Hooks calls are believed; None where `login` decides.
    """

    host: str = "127.0.0.1"
    allowed_hosts: tuple[str, ...] = ()
    login: Login = field(default_factory=Login)
    encrypted: bool = False
    per_second: float | None = None
    largest_body: int = LARGEST_BODY
    log: AuditLog | None = None
    archive_inputs: bool = False
    pseudonym: Callable[[str], str] | None = None
    silent: bool = False
    cds_clients: CdsClients | None = None

    @property
    def keeps(self) -> Literal["nothing", "log", "inputs"]:
        """What is kept of a request."""
        if self.log is None:
            return "nothing"
        return "inputs" if self.archive_inputs else "log"

    @contextmanager
    def running(self, model: RiskModel) -> Iterator[None]:
        """Say in the log from when until when the service runs like this; close it at the end."""
        if self.log is None:
            yield
            return
        how = {
            "model": model.sha256,
            "silent": self.silent,
            "archive_inputs": self.archive_inputs,
            "login": self.login.needed,
            "host": self.host,
            "software": __version__,
        }
        self.log.append({"kind": "start", **how})
        try:
            yield
        finally:
            self.log.append({"kind": "stop", "model": model.sha256})
            self.log.close()


def operate(
    app: FastAPI, model: RiskModel, operation: Operation, metrics: Metrics | None = None
) -> ASGIApp:
    """Return the application with everything around it.

    Parameters
    ----------
    app : FastAPI
        Gets the route ``/metrics``, and says of a silent service what that answers.
    model : RiskModel
    operation : Operation
    metrics : Metrics, optional
    """
    counted = metrics or Metrics(model)
    _add_metrics(app, counted)
    if operation.silent:
        describe_silence(app)
    archive = None
    if operation.log is not None:
        kept = Archive(operation.log.folder)
        kept.keep_model(model)
        archive = kept if operation.archive_inputs else None
    recorder = Recorder(
        model,
        operation.log,
        archive,
        operation.pseudonym,
        operation.silent,
        counted.noted,
        counted.audit_failures.inc,
    )
    inner: ASGIApp = Recording(app, recorder)
    if operation.silent:
        inner = Silent(inner)
    if operation.per_second is not None:
        burst = max(1.0, operation.per_second * BURST_SECONDS)
        inner = RateLimit(inner, Buckets(operation.per_second, burst), OPEN_PATHS)
    guarded: ASGIApp = Access(inner, operation.login)
    if operation.cds_clients is not None:
        guarded = CdsAccess(inner, guarded, operation.cds_clients)
    inner = BodyLimit(guarded, operation.largest_body)
    inner = Hosts(inner, names_of(operation.host, operation.allowed_hosts))
    inner = Headers(Failures(inner), operation.encrypted)
    return Measured(AccessLog(inner), counted)


def _add_metrics(app: FastAPI, metrics: Metrics) -> None:
    @app.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}, "description": "Prometheus metrics."}},
    )
    def exposition() -> Response:
        """Counters for Prometheus; no value of a patient is in them."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)
