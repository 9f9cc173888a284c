"""`lnrisk score`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .shared import (
    FINDINGS_SHOWN,
    Command,
    Date,
    TablePath,
    misuse,
    registry_argument,
    say,
    say_findings,
    say_of,
    skip_option,
)

if TYPE_CHECKING:
    import datetime

    from ..features.files import Content
    from ..features.partitions import Each
    from ..training.progress import Step

__all__ = ["score"]


@click.command(cls=Command)
@click.argument("model")
@registry_argument
@click.option("--as-of", type=Date(), help="Score every patient on this day.")
@click.option(
    "--landmark-weeks",
    type=float,
    help="Score each patient this many weeks after the index date; must be the model's landmark.",
)
@click.option("--out", type=TablePath(), help="Risks; without it they go to stdout as CSV.")
@click.option("--tracking-uri", help="Where MLflow finds MODEL.")
@skip_option
def score(
    model: str,
    registry: Path,
    as_of: "datetime.date | None",
    landmark_weeks: float | None,
    out: Path | None,
    tracking_uri: str | None,
    skip_bad_rows: bool,
) -> None:
    """Give every patient of a REGISTRY the risk by MODEL, beside the label.

    MODEL is a folder or an MLflow URI such as models:/lnrisk@champion.
    """
    from ..features.errors import RegistryError
    from ..features.files import stretches_as_csv, write_files
    from ..features.registry import refusal
    from ..model.loading import find_model
    from ..serving.bundle_scoring import score_bundle
    from ..training.progress import progress

    if as_of is None and landmark_weeks is None:
        misuse("say on which day: --as-of DATE, or --landmark-weeks WEEKS for each one's own.")
    chosen = find_model(model, tracking_uri)
    with _scratch_folder(out) as scratch:
        with progress() as step:
            done = score_bundle(
                chosen,
                registry,
                scratch,
                as_of=as_of,
                landmark_weeks=landmark_weeks,
                skip_bad_rows=skip_bad_rows,
                each=_in_processes(step),
            )
        if done.refused:
            raise RegistryError(refusal(registry.resolve().name, done.findings, FINDINGS_SHOWN))
        say_findings(registry, done.findings)
        beside = Path() if out is None else out.parent
        files: dict[Path, Content] = {}
        if skip_bad_rows:
            files[beside / "rejected.csv"] = done.rejected()
        if out is not None:
            files[out] = done.risks()
        write_files(files)
        if out is None:
            for text in stretches_as_csv(done.risks()):
                click.echo(text, nl=False)
    counts = ", ".join(f"{n} {status}" for status, n in done.counts.items())
    say(f"model {chosen.version}: {counts or 'no patients'}")
    say_of(chosen)


def _in_processes(step: "Step") -> "Each":
    """Return what runs a function over items in one process per processor, and shows how far."""
    from ..training.parallel import in_parallel

    def each(function: Callable[[Any], Any], items: Sequence[Any], what: str) -> list[Any]:
        step(what, 0, len(items))
        return in_parallel(function, items, what, step, heavy=True)

    return each


@contextmanager
def _scratch_folder(out: Path | None) -> Iterator[Path]:
    """Yield a folder for what is read and scored in parts: beside the output, which needs room."""
    import tempfile

    from ..features.errors import LnriskError

    beside = Path(tempfile.gettempdir()) if out is None else out.parent
    prefix = ".lnrisk." if out is None else f".{out.name}."
    try:
        with tempfile.TemporaryDirectory(prefix=prefix, dir=beside) as name:
            yield Path(name)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise LnriskError(f"{beside}: cannot be written: {error}") from error
