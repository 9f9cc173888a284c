"""How often one client may ask and how much one request may hold.

A token bucket per client: it fills at the rate allowed and holds a burst. Memory is bounded by
forgetting who asked longest ago, which forgives them; a client who can take many names (addresses)
has many buckets.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import Problem, problem_response
from .headers import header

__all__ = ["BodyLimit", "Buckets", "RateLimit", "client_of"]

MOST_CLIENTS = 10_000


class Buckets:
    """Token buckets by client.

    Parameters
    ----------
    per_second : float
        How fast a bucket fills.
    burst : float
        How much it holds.
    most_clients : int
        How many are remembered.
    clock : callable
        Seconds that never go back.
    """

    def __init__(
        self,
        per_second: float,
        burst: float,
        most_clients: int = MOST_CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.per_second, self.burst = per_second, burst
        self._most, self._clock = most_clients, clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many clients are remembered."""
        return len(self._held)

    def wait(self, client: str) -> float:
        """Return the seconds until a client's bucket holds one more; 0 when it does."""
        level, then = self._held.get(client, (self.burst, 0.0))
        level = min(self.burst, level + (self._clock() - then) * self.per_second)
        return 0.0 if level >= 1 else (1 - level) / self.per_second

    def take(self, client: str) -> float:
        """Take one from a client's bucket; return 0, or the seconds to wait where it is empty."""
        now = self._clock()
        level, then = self._held.pop(client, (self.burst, now))
        level = min(self.burst, level + (now - then) * self.per_second)
        waits = 0.0 if level >= 1 else (1 - level) / self.per_second
        self._held[client] = (level - 1 if level >= 1 else level, now)
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        return waits


def client_of(scope: Scope) -> str:
    """Return who asks: the name of their token, else their address."""
    named = scope.get("state", {}).get("who")
    if named:
        return f"name:{named}"
    return f"address:{scope['client'][0]}" if scope.get("client") else "address:"


def too_many(waits: float) -> Problem:
    """Return the refusal of who asks too often."""
    seconds = max(1, math.ceil(waits))
    return Problem(
        429,
        f"More requests than this service allows one client; try again in {seconds} s.",
        headers={"retry-after": str(seconds)},
    )


@dataclass(frozen=True)
class RateLimit:
    """Refuses a client who asks more often than allowed.

    Parameters
    ----------
    app : ASGI application
    buckets : Buckets
    exempt : frozenset of str
        Paths that are not counted.
    """

    app: ASGIApp
    buckets: Buckets
    exempt: frozenset[str] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] == "http" and scope["path"] not in self.exempt:
            waits = self.buckets.take(client_of(scope))
            if waits:
                scope["state"]["refused"] = "rate"
                return await problem_response(too_many(waits))(scope, receive, send)
        return await self.app(scope, receive, send)


class _TooLarge(Exception):
    """The body grew past the limit while it was read."""


@dataclass(frozen=True)
class BodyLimit:
    """Refuses a body that is too large, at its announcement or as soon as it has grown so.

    Parameters
    ----------
    app : ASGI application
    largest : int
        Bytes.
    """

    app: ASGIApp
    largest: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        announced = header(scope, b"content-length") or "0"
        if not announced.isascii() or not announced.isdigit() or int(announced) > self.largest:
            return await self._refuse(scope, receive, send)
        size, started, overflow = 0, False, False

        async def counted() -> Message:
            nonlocal size, overflow
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.largest:
                overflow = True
                raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            if overflow and not started:
                return
            started = True
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except _TooLarge:
            if started:
                raise
        if overflow and not started:
            await self._refuse(scope, receive, send)
        return None

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["refused"] = "size"
        problem = Problem(413, f"A request may hold {self.largest} bytes.")
        await problem_response(problem)(scope, receive, send)
