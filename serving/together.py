"""Questions of several callers are answered together, because tables cost more than their rows.

Assumes that an answer does not depend on who else asks; then eight patients at once take hardly
longer than one. Nobody waits for company but who has come at the same moment; what comes while
answers are computed is computed next.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from .guard.access_log import failures, place_of
from .problems import Problem
from .work import Worker

__all__ = ["Together"]

Question = TypeVar("Question")
Answer = TypeVar("Answer")


@dataclass
class Together(Generic[Question, Answer]):
    """Gathers questions and hands out their answers.

    Parameters
    ----------
    work : Worker
        Computes one gathering at a time.
    compute : callable
        Returns the answers to questions, in their order. A `Problem` that it raises is everyone's;
        after any other exception each question is computed alone, and if none fails so, the
        exception is logged by kind and place.
    size : callable
        How much there is to compute for a question.
    largest : int
        Size of one gathering; a question that is larger by itself is computed alone.
    """

    work: Worker
    compute: Callable[[Sequence[Question]], Sequence[Answer]]
    size: Callable[[Question], int]
    largest: int
    _waiting: "list[tuple[Question, asyncio.Future[Answer]]]" = field(default_factory=list)
    _task: "asyncio.Task[None] | None" = None

    async def ask(self, question: Question) -> Answer:
        """Return the answer to a question, or raise what computing it alone raises.

        Raises
        ------
        Problem
            504 when it takes too long.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, answer))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work_off())
        with self.work.in_time():
            return await answer

    async def _work_off(self) -> None:
        await self._let_in()
        while part := self._next():
            try:
                answers = await self.work.run(partial(self.compute, [asked for asked, _ in part]))
            except Problem as problem:
                for _, answer in part:
                    _fail(answer, problem)
                continue
            except Exception as error:  # one question's failure must not become the others'
                if await self._one_by_one(part):
                    failures.error(
                        "%s at %s of %s questions together, of none alone",
                        type(error).__name__,
                        place_of(error),
                        len(part),
                    )
                continue
            for (_, answer), found in zip(part, answers, strict=True):
                if not answer.done():
                    answer.set_result(found)

    async def _let_in(self) -> None:
        """Let the loop turn until nobody new comes, which takes microseconds."""
        came = 0
        while came < len(self._waiting) < self.largest:
            came = len(self._waiting)
            await asyncio.sleep(0)

    async def _one_by_one(self, part: "list[tuple[Question, asyncio.Future[Answer]]]") -> bool:
        """Answer each alone; return whether all could be."""
        every = True
        for question, answer in part:
            try:
                (found,) = await self.work.run(partial(self.compute, [question]))
            except Exception as error:  # whatever it is, it is for who asked
                _fail(answer, error)
                every = False
            else:
                if not answer.done():
                    answer.set_result(found)
        return every

    def _next(self) -> "list[tuple[Question, asyncio.Future[Answer]]]":
        """Take who waits, the first first, up to the largest gathering."""
        waiting = [each for each in self._waiting if not each[1].done()]
        size, count = 0, 0
        for question, _ in waiting:
            size += self.size(question)
            if count and size > self.largest:
                break
            count += 1
        self._waiting = waiting[count:]
        return waiting[:count]


def _fail(answer: "asyncio.Future[Answer]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
