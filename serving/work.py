"""Answers are computed beside the event loop, a few at a time, each within a time.

Assumes that computing is bound by the processor: more threads than processors only make every
answer slower, so what comes while all are busy waits in line.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import anyio
import anyio.to_thread

from .problems import Problem

__all__ = ["Here", "Work", "Worker"]

Result = TypeVar("Result")


class Worker(Protocol):
    """Whoever computes answers."""

    async def run(self, compute: Callable[[], Result]) -> Result:
        """Return what a function computes."""

    def in_time(self) -> AbstractContextManager[None]:
        """Give up what is awaited inside when it takes too long."""


class Here:
    """Computes on the event loop what takes less time than going elsewhere."""

    async def run(self, compute: Callable[[], Result]) -> Result:
        """Return what a function computes."""
        return compute()

    def in_time(self) -> AbstractContextManager[None]:
        """Wait as long as it takes."""
        return nullcontext()


@dataclass
class Work:
    """Computes answers.

    Parameters
    ----------
    longest_seconds : float
        An answer that is not there by then is a 504; what was begun ends by itself.
    at_once : int
        How many are computed at the same time.
    """

    longest_seconds: float
    at_once: int = field(default_factory=lambda: os.cpu_count() or 1)
    _limiter: anyio.CapacityLimiter | None = None

    async def run(self, compute: Callable[[], Result]) -> Result:
        """Return what a function computes.

        Raises
        ------
        Problem
            504 when it takes too long.
        """
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self.at_once)
        with self.in_time():
            return await anyio.to_thread.run_sync(
                compute, abandon_on_cancel=True, limiter=self._limiter
            )

    @contextmanager
    def in_time(self) -> Iterator[None]:
        """Give up what is awaited inside when it takes too long.

        Raises
        ------
        Problem
            504 then.
        """
        try:
            with anyio.fail_after(self.longest_seconds):
                yield
        except TimeoutError as error:
            raise Problem(504, f"No answer within {self.longest_seconds:g} seconds.") from error
