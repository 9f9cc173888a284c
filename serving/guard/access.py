"""Who may ask: anyone on this machine; from elsewhere only who shows a token, over TLS.

Assumes that a proxy, where one is stated, ends TLS and cannot be gone around. What goes on is a
name, never the token: ``scope["state"]["who"]``.
"""

import asyncio
import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from ..problems import Problem, problem_response
from .headers import header
from .hosts import is_loopback
from .issuer import Issuer
from .limits import Buckets, client_of, too_many
from .tokens import AccessError, Tokens

__all__ = ["OPEN_PATHS", "Access", "Login", "must_not_start"]

OPEN_PATHS = frozenset({"/healthz", "/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})
"""Answered to anyone: they say nothing but whether the service runs."""

WITHOUT_LOGIN = "local"
FAILURES_PER_SECOND, FAILURES_AT_ONCE = 0.2, 10.0


@dataclass(frozen=True)
class Login:
    """What is accepted as proof of who asks.

    Parameters
    ----------
    tokens : Tokens or None
    issuer : Issuer or None
    """

    tokens: Tokens | None = None
    issuer: Issuer | None = None

    @property
    def needed(self) -> bool:
        """Whether anything has to be shown."""
        return self.tokens is not None or self.issuer is not None

    async def name_of(self, authorization: str) -> str | None:
        """Return who shows this Authorization header; None where it proves nothing.

        ``Bearer`` with a token of either kind, or ``Basic`` with a token's name and the token,
        which is how a browser asks a person.
        """
        scheme, _, shown = authorization.partition(" ")
        shown = shown.strip()
        if scheme.lower() == "basic" and self.tokens is not None:
            user, _, token = _decoded(shown).partition(":")
            name = self.tokens.name_of(token)
            return name if name == user else None
        if scheme.lower() != "bearer" or not shown:
            return None
        name = self.tokens.name_of(shown) if self.tokens is not None else None
        if name is None and self.issuer is not None:
            name = await asyncio.to_thread(self.issuer.name_of, shown)
        return name


def _decoded(shown: str) -> str:
    try:
        return base64.b64decode(shown, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def must_not_start(
    host: str, login: Login, certificate: Path | None, key: Path | None, behind_proxy: bool
) -> None:
    """Refuse an address that others can reach without login, or without encryption.

    Behind a proxy even this machine's own address is reached from elsewhere.

    Raises
    ------
    AccessError
        Says what is missing.
    """
    if (certificate is None) != (key is None):
        raise AccessError("--certfile and --keyfile belong together.")
    if is_loopback(host) and not behind_proxy:
        return
    lacking = []
    if not login.needed:
        lacking.append("a login: --tokens FILE, LNRISK_TOKENS or --oidc-issuer URL")
    if not is_loopback(host) and certificate is None and not behind_proxy:
        lacking.append("encryption: --certfile and --keyfile, or --behind-proxy")
    if lacking:
        raise AccessError(
            f"{host}{' behind a proxy' if behind_proxy else ''} can be reached from elsewhere and "
            f"needs {'; and '.join(lacking)}. 127.0.0.1 without a proxy needs neither."
        )


class Access:
    """Refuses who does not show who they are.

    Parameters
    ----------
    app : ASGI application
    login : Login
    open_paths : frozenset of str
        Paths that anyone may ask.
    """

    def __init__(self, app: ASGIApp, login: Login, open_paths: frozenset[str] = OPEN_PATHS) -> None:
        self.app, self.login, self.open_paths = app, login, open_paths
        self._failures = Buckets(FAILURES_PER_SECOND, FAILURES_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on with a name."""
        if scope["type"] != "http" or scope["path"] in self.open_paths:
            return await self.app(scope, receive, send)
        refusal = await self._identify(scope)
        if refusal is None:
            return await self.app(scope, receive, send)
        scope["state"]["refused"] = "login" if refusal.status == 401 else "rate"
        return await problem_response(refusal)(scope, receive, send)

    async def _identify(self, scope: Scope) -> Problem | None:
        if not self.login.needed:
            scope["state"]["who"] = WITHOUT_LOGIN
            return None
        address = client_of(scope)
        waits = self._failures.wait(address)
        if waits:
            return too_many(waits)
        name = await self.login.name_of(header(scope, b"authorization") or "")
        if name is not None:
            scope["state"]["who"] = name
            return None
        self._failures.take(address)
        page = "text/html" in (header(scope, b"accept") or "") and self.login.tokens is not None
        challenge = 'Basic realm="lnrisk", charset="UTF-8"' if page else 'Bearer realm="lnrisk"'
        return Problem(
            401, "This service answers who shows a token.", headers={"www-authenticate": challenge}
        )
