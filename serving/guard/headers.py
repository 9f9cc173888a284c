"""Headers of every answer: what a browser may do with it, and which request it answers.

The page has only static files of its own, so that the policy allows nothing else: no inline script
or style, no other host, no frame around it. A browser names the page to this host alone: with no
referrer at all it would send ``Origin: null``, which `lnrisk.serving.guard.hosts` cannot tell from
another site's.
"""

import os
import re
from dataclasses import dataclass
from functools import cached_property

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CONTENT_POLICY", "Headers", "header"]

CONTENT_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
ALWAYS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_ALWAYS = {name.encode(): value.encode() for name, value in ALWAYS.items()}
_NOT_KEPT = (b"cache-control", b"no-store")
ONE_YEAR = "max-age=31536000"
_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,64}")


def header(scope: Scope, name: bytes) -> str | None:
    """Return a request header; None where it is absent, or there twice."""
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if len(found) == 1 else None


@dataclass(frozen=True)
class Headers:
    """Adds the headers, and gives the request an identifier where its own is none; only once.

    Parameters
    ----------
    app : ASGI application
    encrypted : bool
        Whether the client talks TLS, here or to a proxy: then it is told to stay with it.
    """

    app: ASGIApp
    encrypted: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, adding to the answer."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if "request_id" in scope.setdefault("state", {}):
            return await self.app(scope, receive, send)
        sent = header(scope, b"x-request-id") or ""
        identifier = sent if _IDENTIFIER.fullmatch(sent) else os.urandom(16).hex()
        scope["state"]["request_id"] = identifier
        others = [(key, value) for key, value in scope["headers"] if key != b"x-request-id"]
        scope["headers"] = [*others, (b"x-request-id", identifier.encode())]
        added = [*self._always, (b"x-request-id", identifier.encode())]

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [each for each in message["headers"] if each[0] not in _ALWAYS]
                held = any(name == b"cache-control" for name, _ in own)
                headers = [*own, *added, *(() if held else (_NOT_KEPT,))]
                message = {**message, "headers": headers}
            await send(message)

        return await self.app(scope, receive, add)

    @cached_property
    def _always(self) -> list[tuple[bytes, bytes]]:
        encrypted = [(b"strict-transport-security", ONE_YEAR.encode())] if self.encrypted else []
        return [*_ALWAYS.items(), *encrypted]
