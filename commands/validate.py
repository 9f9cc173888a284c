"""`lnrisk validate`."""

from pathlib import Path

import click

from .shared import (
    Command,
    check_new_folder,
    good,
    read_registry,
    registry_argument,
    rejected_beside,
    say,
    skip_option,
)

__all__ = ["validate"]


@click.command(cls=Command)
@click.argument("model")
@registry_argument
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder."
)
@click.option("--site", help="What the site wishes to be called.  [default: the registry's name]")
@click.option("--tracking-uri", help="Where MLflow finds MODEL.")
@skip_option
def validate(
    model: str,
    registry: Path,
    out: Path,
    site: str | None,
    tracking_uri: str | None,
    skip_bad_rows: bool,
) -> None:
    """Try MODEL on the REGISTRY of a site, and write aggregates that may leave it.

    DIR/external.json holds no row of a patient and no count of fewer than ten; `lnrisk pool` takes
    such files of several sites.
    """
    import datetime
    import json

    from ..features.files import write_files
    from ..model.loading import find_model
    from ..training.external import external_validation
    from ..training.progress import progress

    check_new_folder(out)
    reading = read_registry(registry, skip_bad_rows)
    data = good(reading)
    today = datetime.datetime.now(tz=datetime.UTC).date()
    chosen = find_model(model, tracking_uri)
    with progress() as step:
        found = external_validation(chosen, data, site or data.source.name, today, step)
    out.mkdir(parents=True, exist_ok=True)
    file = out / "external.json"
    text = json.dumps(found, indent=1) + "\n"
    write_files({**rejected_beside(out, reading, skip_bad_rows), file: text})
    for remark in found["remarks"]:
        say(f"note: {remark}")
    for landmark in found["landmarks"]:
        week = f"week {landmark['landmark_days'] / 7:.3g}"
        if landmark["withheld"]:
            say(f"{week}: fewer than ten with or without the outcome; no figure")
            continue
        shown = [
            f"{one['measure']} {one['estimate']:.3f}"
            for one in landmark["measures"]
            if one["estimate"] is not None
        ]
        say(f"{week}: {', '.join(shown)}")
    say(f"aggregates only: {file}; pool it with others by `lnrisk pool`")
