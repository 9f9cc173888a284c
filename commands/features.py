"""`lnrisk features`."""

from pathlib import Path

import click

from .shared import (
    Command,
    TablePath,
    good,
    misuse,
    read_registry,
    registry_argument,
    rejected_beside,
    say,
    skip_option,
)

INDEX = "Whose index date counts: the first anchor drug, or the registry's own."

__all__ = ["features"]


@click.command(cls=Command)
@registry_argument
@click.option(
    "--landmark-weeks", type=float, default=12, show_default=True, help="Weeks after the index."
)
@click.option("--out", type=TablePath(), required=True, help="The feature table.")
@click.option("--outcome", type=click.Choice(["rule", "registry"]), default="rule", help=INDEX)
@skip_option
def features(
    registry: Path, landmark_weeks: float, out: Path, outcome: str, skip_bad_rows: bool
) -> None:
    """Write the feature table of a REGISTRY at a landmark, and features.json beside it."""
    from ..features.files import write_files
    from ..features.pipeline import (
        DEFAULT_ANALYTES,
        features_at,
        index_days,
        trajectory_plan,
        with_trajectories,
    )

    if landmark_weeks < 0:
        misuse("--landmark-weeks is 0 or more.")
    reading = read_registry(registry, skip_bad_rows)
    data = good(reading)
    plain = features_at(data, index_days(data, outcome), round(landmark_weeks * 7))
    table, trajectories = with_trajectories(plain, trajectory_plan(DEFAULT_ANALYTES))
    frame = table.frame.copy()
    frame.insert(0, "patient_id", data.patient_ids)
    dictionary = table.dictionary_json(trajectories)
    files = rejected_beside(out, reading, skip_bad_rows)
    write_files({**files, out: frame, out.parent / "features.json": dictionary})
    say(f"{len(frame)} patients, {len(table.dictionary)} features at week {landmark_weeks:g}")
