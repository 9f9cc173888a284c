"""`lnrisk serve`."""

from typing import Any

import click

from .operation import operation_of, operation_options, run
from .shared import Command, say

__all__ = ["serve"]


@click.command(cls=Command)
@click.argument("model")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--tracking-uri", help="Where MLflow finds MODEL.")
@operation_options
def serve(model: str, host: str, port: int, tracking_uri: str | None, **given: Any) -> None:
    """Serve MODEL: API, clinician's page, CDS Hooks, FHIR.

    MODEL is a folder or an MLflow URI such as models:/lnrisk@champion. On this machine's own
    address it needs no login; on any other it does not start without a login (--tokens or
    --oidc-issuer) and encryption (--certfile and --keyfile, or --behind-proxy).
    """
    from ..serving.admission import admitted, exported
    from ..serving.app import create_app
    from ..serving.operation import operate
    from ..serving.settings import Settings

    operation = operation_of(host, given)
    folder = exported(model, tracking_uri)
    chosen = admitted(folder)
    if str(folder) != model:
        say(f"{model} was exported to {folder}, which can be served without MLflow")
    scheme = "https" if given["certfile"] else "http"
    say(f"model {chosen.version} on {scheme}://{host}:{port}; Ctrl-C finishes what was begun")
    if chosen.synthetic:
        say("The model was trained on simulated patients.")
    if operation.silent:
        say("Silent: risks are logged and not shown.")
    app = operate(create_app(chosen, Settings(host=host, port=port)), chosen, operation)
    with operation.running(chosen):
        run(app, host, port, given)
