"""Long work in several processes, with its progress shown and in an order that does not change.

Assumes that pieces do not depend on one another; an interruption ends all of them.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from .progress import Step

__all__ = ["in_parallel"]

Item = TypeVar("Item")
Result = TypeVar("Result")

FEWEST = 16
"""Pieces below which starting a process costs more than it gives."""
BATCH = 4


def in_parallel(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    what: str,
    step: Step,
    *,
    heavy: bool = False,
) -> list[Result]:
    """Return the results of a function, in order of the items.

    Parameters
    ----------
    function : callable
        Can be pickled; runs with one thread.
    items : sequence
    what : str
        Name of the work, for the progress.
    step : callable
        Told of the progress.
    heavy : bool
        Whether one item is worth a process of its own.
    """
    fewest, size = (2, 1) if heavy else (FEWEST, BATCH)
    found: list[Result] = []
    if len(items) < fewest:
        for item in items:
            step(what, len(found), len(items))
            found.append(function(item))
    else:
        from joblib import Parallel, cpu_count, delayed

        batches = [items[k : k + size] for k in range(0, len(items), size)]
        running = Parallel(n_jobs=cpu_count(), return_as="generator")
        for batch in running(delayed(_all)(function, batch) for batch in batches):
            step(what, len(found), len(items))
            found.extend(batch)
    step(what, len(items), len(items))
    return found


def _all(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        return [function(item) for item in items]
