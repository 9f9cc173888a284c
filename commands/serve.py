"""`lnrisk serve`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from .operation import operation_of, operation_options, run, starting, without_arrow
from .shared import FILE, Command, say, say_of

__all__ = ["serve"]


@click.command(cls=Command)
@click.argument("model")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--tracking-uri", help="Where MLflow finds MODEL.")
@click.option("--cds-clients", type=FILE, help="TOML: whose CDS Hooks calls are believed.")
@click.option(
    "--feedback",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for feedback on cards; with --audit it is in the audit log anyway.",
)
@operation_options
@without_arrow()
def serve(
    model: str,
    host: str,
    port: int,
    tracking_uri: str | None,
    cds_clients: Path | None,
    feedback: Path | None,
    **given: Any,
) -> None:
    """Serve MODEL: API, clinician's page, CDS Hooks, FHIR.

    MODEL is a folder or an MLflow URI such as models:/lnrisk@champion. On this machine's own
    address it needs no login; on any other it does not start without a login (--tokens or
    --oidc-issuer) and encryption (--certfile and --keyfile, or --behind-proxy). CDS Hooks clients
    sign each call themselves where --cds-clients names their keys.
    """
    with starting():
        from ..serving.admission import admitted, exported
        from ..serving.app import create_app
        from ..serving.cds_hooks import SERVICE_PATH
        from ..serving.feedback import FeedbackFile, Keeper, in_the_audit_log
        from ..serving.guard.cds_clients import load_clients
        from ..serving.operation import operate
        from ..serving.settings import Settings

        operation = operation_of(host, given)
        if cds_clients is not None:
            operation = replace(operation, cds_clients=load_clients(cds_clients, SERVICE_PATH))
        keeper: Keeper | None = in_the_audit_log if given["audit"] is not None else None
        if feedback is not None:
            keeper = FeedbackFile(feedback)
        settings = Settings(host=host, port=port, feedback=keeper, keeps=operation.keeps)
        folder = exported(model, tracking_uri)
        chosen = admitted(folder)
        if str(folder) != model:
            say(f"{model} was exported to {folder}, which can be served without MLflow")
        scheme = "https" if given["certfile"] else "http"
        say(f"model {chosen.version} on {scheme}://{host}:{port}; Ctrl-C finishes what was begun")
        say_of(chosen)
        if operation.silent:
            say("Silent: risks are logged and not shown.")
        app = operate(create_app(chosen, settings), chosen, operation)
    with operation.running(chosen):
        run(app, host, port, given)
