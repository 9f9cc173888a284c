"""Progress of long work on a terminal; silent elsewhere.

Assumes that messages go to stderr and results to stdout.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Step", "progress"]

Step = Callable[[str, int, int], None]
"""Called with what is being done, how many are done and how many there are."""


@contextmanager
def progress() -> Iterator[Step]:
    """Yield a function that is told what is being done, how many are done and of how many."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def step(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield step
