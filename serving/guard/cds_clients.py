"""Whose CDS Hooks calls are believed: the JWT that a client signs for each call.

Assumes keys from files that the site was given, never from an address that a token names. A token
is accepted once, within its time, for this service; whatever is wrong with it is not told to who
shows it.
"""

import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .headers import header
from .issuer import FileKeys
from .tokens import AccessError

__all__ = ["CDS_PATH", "CdsAccess", "CdsClients", "load_clients"]

CDS_PATH = "/cds-services"
"""Discovery, open to anyone; below it are the services."""

ALGORITHMS = ("ES384", "RS384")
LEEWAY_SECONDS = 30
LONGEST_SECONDS = 3600
LONGEST_TOKEN = 16 << 10
LONGEST_IDENTIFIER = 256
_REQUIRED = ("iss", "aud", "exp", "iat", "jti")


@dataclass
class CdsClients:
    """Issuers and their keys, and which tokens were seen.

    Parameters
    ----------
    audiences : tuple of str
        Addresses of this service, one of which a token must be made for.
    keys : mapping of str to FileKeys
        By issuer.
    clock : callable
        Seconds since 1970.
    """

    audiences: tuple[str, ...]
    keys: Mapping[str, FileKeys] = field(repr=False)
    clock: Callable[[], float] = time.time
    _seen: dict[tuple[str, str], float] = field(default_factory=dict, repr=False)

    def issuer_of(self, authorization: str) -> str | None:
        """Return who signed the token of an Authorization header; None where it is not in order.

        Parameters
        ----------
        authorization : str
            ``Bearer`` and the token.
        """
        import jwt

        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
            return None
        try:
            claims = self._claims(token.strip())
        except (jwt.PyJWTError, ValueError, TypeError, LookupError, RecursionError):
            return None
        return claims["iss"] if self._is_new(claims) else None

    def _claims(self, token: str) -> dict[str, Any]:
        import jwt

        said = jwt.decode(token, options={"verify_signature": False})
        issuer = said["iss"]
        key = self.keys[issuer].get_signing_key_from_jwt(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=list(ALGORITHMS),
            issuer=issuer,
            audience=list(self.audiences),
            options={
                "require": list(_REQUIRED),
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        return claims

    def _is_new(self, claims: Mapping[str, Any]) -> bool:
        """Return whether a token is within its time and was not shown before."""
        now, identifier = self.clock(), claims["jti"]
        times = [claims["iat"], claims["exp"], claims.get("nbf", claims["iat"])]
        if not all(isinstance(t, int | float) and not isinstance(t, bool) for t in times):
            return False
        begins, ends, before = times
        lasting = 0 < ends - begins <= LONGEST_SECONDS
        current = max(begins, before) - LEEWAY_SECONDS <= now < ends + LEEWAY_SECONDS
        if not (lasting and current and isinstance(identifier, str)):
            return False
        if not 0 < len(identifier) <= LONGEST_IDENTIFIER:
            return False
        self._seen = {key: end for key, end in self._seen.items() if end > now}
        place = (claims["iss"], identifier)
        if place in self._seen:
            return False
        self._seen[place] = ends + LEEWAY_SECONDS
        return True


def is_cds(path: str) -> bool:
    """Return whether a path is that of CDS Hooks.

    Examples
    --------
    >>> [is_cds(path) for path in ("/cds-services", "/cds-services/x", "/cds-servicesx")]
    [True, True, False]
    """
    return path == CDS_PATH or path.startswith(f"{CDS_PATH}/")


@dataclass(frozen=True)
class CdsAccess:
    """Lets a CDS Hooks call through to `trusted` where its token is in order; else a bare 401.

    What is no call of CDS Hooks goes to `others`, and so through the service's own login.

    Parameters
    ----------
    trusted, others : ASGI application
    clients : CdsClients
    """

    trusted: ASGIApp
    others: ASGIApp
    clients: CdsClients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on with a name."""
        if scope["type"] != "http" or not is_cds(scope["path"]):
            return await self.others(scope, receive, send)
        if scope["path"] == CDS_PATH:
            return await self.trusted(scope, receive, send)
        issuer = self.clients.issuer_of(header(scope, b"authorization") or "")
        if issuer is None:
            scope["state"]["refused"] = "login"
            return await Response(status_code=401)(scope, receive, send)
        scope["state"]["who"] = f"cds:{issuer}"
        return await self.trusted(scope, receive, send)


def load_clients(file: Path, service: str) -> CdsClients:
    """Read which clients are believed.

    Parameters
    ----------
    file : Path
        TOML: ``audience``, the service's own address, and a table ``[issuers]`` of issuer to the
        JWKS file with its public keys, relative to this file.
    service : str
        Path of the CDS service, which clients may name as audience as well.

    Raises
    ------
    AccessError
        When the file, or a file that it names, is not as expected.
    """
    expected = 'expected audience = "https://..." and [issuers] with "https://..." = "keys.json"'
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        audience, issuers = content["audience"], content["issuers"]
        files = {str(issuer): file.parent / str(keys) for issuer, keys in issuers.items()}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise AccessError(f"{file}: {type(error).__name__}; {expected}.") from error
    if not isinstance(audience, str) or not audience.startswith("https://") or not files:
        raise AccessError(f"{file}: {expected}.")
    base = audience.rstrip("/")
    paths = ("", "/", CDS_PATH, service, f"{service}/feedback")
    keys = {issuer: FileKeys(each) for issuer, each in files.items()}
    return CdsClients(tuple(f"{base}{path}" for path in paths), keys)
