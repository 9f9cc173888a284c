"""How a site runs `lnrisk serve`: options of access, limits, audit and silence."""

import gc
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .shared import FILE, misuse

if TYPE_CHECKING:
    from ..serving.operation import Operation

__all__ = ["operation_of", "operation_options", "run", "starting", "without_arrow"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
DEFAULT_RATE = 20.0
SECONDS_TO_FINISH = 30

_OPTIONS = (
    click.option("--tokens", type=FILE, help="Who may ask: lines of `lnrisk token`."),
    click.option("--oidc-issuer", metavar="URL", help="Also accept tokens of this issuer."),
    click.option("--oidc-audience", metavar="NAME", help="Whom its tokens must be made for."),
    click.option("--oidc-keys", metavar="URL|FILE", help="Its keys (JWKS)."),
    click.option("--certfile", type=FILE, help="TLS certificate."),
    click.option("--keyfile", type=FILE, help="Its key."),
    click.option("--behind-proxy", is_flag=True, help="A proxy in front ends TLS."),
    click.option(
        "--proxy-address",
        default="127.0.0.1",
        show_default=True,
        help="Whose X-Forwarded headers are believed.",
    ),
    click.option("--allowed-host", "allowed_hosts", multiple=True, help="Another name it has."),
    click.option(
        "--rate",
        type=click.FloatRange(0, min_open=True),
        help="Requests per second of one client.  [default: 20; none on this machine only]",
    ),
    click.option(
        "--largest-body",
        type=click.IntRange(1),
        default=8 << 20,
        show_default=True,
        help="Bytes of a request.",
    ),
    click.option(
        "--audit",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of the audit log.",
    ),
    click.option("--archive-inputs", is_flag=True, help="Keep what is sent, for `lnrisk replay`."),
    click.option(
        "--pseudonym-key", type=FILE, help="Key (hex) that makes patients' pseudonyms in the log."
    ),
    click.option("--silent", is_flag=True, help="Score, log, show nothing."),
    click.option("--access-log", is_flag=True, help="Say each request on stderr."),
)


def operation_options(command: Decorated) -> Decorated:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def operation_of(host: str, given: dict[str, Any]) -> "Operation":
    """Return how to run, or refuse.

    Raises
    ------
    LnriskError
        When access is not settled, or the audit log cannot be written.
    """
    from ..serving.audit.log import AuditLog
    from ..serving.audit.pseudonyms import load_pseudonyms
    from ..serving.guard.access import Login, must_not_start
    from ..serving.guard.hosts import is_loopback
    from ..serving.guard.issuer import Issuer, keys_from
    from ..serving.guard.tokens import load_tokens
    from ..serving.operation import Operation

    issuer = [given[name] for name in ("oidc_issuer", "oidc_audience", "oidc_keys")]
    if any(issuer) and not all(issuer):
        misuse("--oidc-issuer, --oidc-audience and --oidc-keys belong together.")
    for option in ("silent", "archive_inputs", "pseudonym_key"):
        if given[option] and given["audit"] is None:
            misuse(f"--{option.replace('_', '-')} needs --audit DIR.")
    login = Login(
        load_tokens(given["tokens"], os.environ),
        Issuer(issuer[0], issuer[1], keys_from(issuer[2])) if all(issuer) else None,
    )
    behind = given["behind_proxy"]
    must_not_start(host, login, given["certfile"], given["keyfile"], behind)
    alone = is_loopback(host) and not behind
    return Operation(
        host=host,
        allowed_hosts=given["allowed_hosts"],
        login=login,
        encrypted=given["certfile"] is not None or behind,
        per_second=given["rate"] or (None if alone else DEFAULT_RATE),
        largest_body=given["largest_body"],
        log=AuditLog(given["audit"]) if given["audit"] else None,
        archive_inputs=given["archive_inputs"],
        pseudonym=load_pseudonyms(given["pseudonym_key"], os.environ),
        silent=given["silent"],
    )


@contextmanager
def _without(library: str) -> Iterator[None]:
    """Let what is imported inside do without a library that it would take if it were there."""
    held = sys.modules.get(library)
    sys.modules[library] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[library]
        if held is not None:
            sys.modules[library] = held


@contextmanager
def without_arrow() -> Iterator[None]:
    """Let tables do without Arrow inside.

    They are those of few patients, for which Python's own strings are quicker than Arrow's, and
    there are no files, which alone need Arrow: pandas is a quarter smaller without it.
    """
    with _without("pyarrow"):
        import pandas as pd
    with pd.option_context("mode.string_storage", "python"):
        yield


@contextmanager
def starting() -> Iterator[None]:
    """Make what lives as long as the service, without searching it for garbage, now or later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def run(app: Any, host: str, port: int, given: dict[str, Any]) -> None:
    """Serve until told to stop, then finish what was begun."""
    import signal

    import uvicorn

    def stop(*_: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    logging.getLogger("lnrisk.access").setLevel(logging.INFO if given["access_log"] else "WARNING")
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        ssl_certfile=given["certfile"],
        ssl_keyfile=given["keyfile"],
        proxy_headers=given["behind_proxy"],
        forwarded_allow_ips=given["proxy_address"],
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )
