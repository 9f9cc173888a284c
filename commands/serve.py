"""`lnrisk serve`."""

import click

from .shared import Command, say

__all__ = ["serve"]


@click.command(cls=Command)
@click.argument("model")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--tracking-uri", help="Where MLflow finds MODEL.")
def serve(model: str, host: str, port: int, tracking_uri: str | None) -> None:
    """Serve MODEL: API, clinician's page, CDS Hooks, FHIR.

    MODEL is a folder or an MLflow URI such as models:/lnrisk@champion.
    """
    import uvicorn

    from ..model.loading import find_model
    from ..serving.app import create_app
    from ..serving.settings import Settings

    chosen = find_model(model, tracking_uri)
    say(f"model {chosen.version} on http://{host}:{port}; stop it with Ctrl-C")
    if chosen.synthetic:
        say("The model was trained on simulated patients.")
    app = create_app(chosen, Settings(host=host, port=port))
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)
