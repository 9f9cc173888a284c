"""Under which names the service may be asked, and from which pages.

A page of another site can make a browser ask an address on this machine, and by a name that it
points here even read the answer; the Host and Origin headers tell, and are believed because a page
cannot set them.
"""

import ipaddress
import urllib.parse
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from ..problems import Problem, problem_response
from .headers import header

__all__ = ["Hosts", "is_loopback", "names_of"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address.

    Examples
    --------
    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "risk.org")]
    [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def names_of(host: str, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names under which a service on `host` is asked: its own, and those given."""
    own = LOOPBACK if is_loopback(host) or host in ("0.0.0.0", "::") else ()
    return tuple(dict.fromkeys([*own, host.strip("[]").lower(), *(name.lower() for name in more)]))


def _hostname(authority: str) -> str | None:
    try:
        return urllib.parse.urlsplit(f"//{authority}").hostname
    except ValueError:
        return None


@dataclass(frozen=True)
class Hosts:
    """Refuses a Host that is not the service's, and what another site's page sends.

    Parameters
    ----------
    app : ASGI application
    names : tuple of str
        Host names that are accepted.
    """

    app: ASGIApp
    names: tuple[str, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            return await self.app(scope, receive, send)
        scope["state"]["refused"] = "host"
        return await problem_response(refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Problem | None:
        host = header(scope, b"host")
        if host is None or _hostname(host) not in self.names:
            return Problem(
                400, "The Host header names another service; `--allowed-host NAME` accepts it."
            )
        origin = header(scope, b"origin")
        if origin is None or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return None
        if _hostname(urllib.parse.urlsplit(origin).netloc) not in self.names:
            return Problem(403, "The request comes from a page of another site.")
        return None
