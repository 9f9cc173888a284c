"""`lnrisk simulate`."""

from pathlib import Path

import click

from .shared import Command, misuse, say

__all__ = ["simulate"]


@click.command(cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--patients", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--format", "ending", type=click.Choice(["csv", "parquet"]), default="csv")
@click.option(
    "--true-risk-weeks",
    type=click.FloatRange(min=0, max=78),
    help="Replay each future from this week on and add true_risk to truth.parquet.",
)
@click.option("--replays", type=click.IntRange(min=1), default=200, show_default=True)
def simulate(
    folder: Path,
    patients: int,
    seed: int,
    ending: str,
    true_risk_weeks: float | None,
    replays: int,
) -> None:
    """Write a synthetic registry to DIR, with the truth beside it."""
    from ..training.simulate import simulate as simulate_registry
    from ..training.simulate import write

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        misuse(f"{str(folder)!r} exists and is not an empty folder.")
    landmark_days = None if true_risk_weeks is None else round(7 * true_risk_weeks)
    simulated = simulate_registry(patients, seed, landmark_days=landmark_days, replays=replays)
    write(simulated, folder, ending)
    say(f"{patients} simulated patients in {folder}; truth.parquet holds what was simulated.")
