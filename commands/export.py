"""`lnrisk export`."""

from pathlib import Path

import click

from .shared import Command, say

__all__ = ["export"]


@click.command(cls=Command)
@click.argument("model")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--tracking-uri", help="Where MLflow finds MODEL.")
def export(model: str, folder: Path, tracking_uri: str | None) -> None:
    """Write the file of MODEL into FOLDER, to be served where there is no MLflow.

    MODEL is a folder or an MLflow URI such as models:/lnrisk@champion.
    """
    from ..features.files import write_files
    from ..model.artifact import MODEL_FILE
    from ..model.loading import find_model

    chosen = find_model(model, tracking_uri)
    folder.mkdir(parents=True, exist_ok=True)
    write_files({folder / MODEL_FILE: chosen.to_json()})
    say(f"model {chosen.version} is in {folder}; `lnrisk serve {folder}` serves it")
