"""Tokens of an OpenID Connect issuer: signature, issuer, audience and times are checked.

Assumes that the issuer's keys come from where the site said, over HTTPS or from a file; a token
that cannot be checked is no token, whatever the reason.
"""

import re
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .hosts import is_loopback
from .tokens import AccessError

if TYPE_CHECKING:
    import jwt

__all__ = ["ALGORITHMS", "Issuer", "keys_from"]

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures with a private key only: a shared secret would let every reader of it sign."""

LEEWAY_SECONDS = 30
LONGEST_TOKEN = 16 << 10
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,128}")
_REQUIRED = ("iss", "aud", "exp", "sub")


class Keys(Protocol):
    """Where a token's key comes from."""

    def get_signing_key_from_jwt(self, token: str) -> "jwt.PyJWK":
        """Return the key that signed a token, or raise `jwt.PyJWTError`."""
        ...


class FileKeys:
    """The keys of a JWKS file."""

    def __init__(self, file: Path) -> None:
        import jwt

        try:
            self._keys = jwt.PyJWKSet.from_json(file.read_text(encoding="utf-8"))
        except (
            OSError,
            ValueError,
            AttributeError,
            TypeError,
            LookupError,
            jwt.PyJWTError,
        ) as error:
            raise AccessError(f"{file}: not a JWKS file: {type(error).__name__}.") from error

    def get_signing_key_from_jwt(self, token: str) -> "jwt.PyJWK":
        """Return the key that a token names; the only one where it names none."""
        import jwt

        named = jwt.get_unverified_header(token).get("kid")
        for key in self._keys.keys:
            if key.key_id == named or (named is None and len(self._keys.keys) == 1):
                return key
        raise jwt.InvalidKeyError("no such key")


def keys_from(source: str) -> Keys:
    """Return the keys of a file, or of an address that is asked when a key is needed.

    Raises
    ------
    AccessError
        When the file is no JWKS, or the address is neither HTTPS nor this machine.
    """
    import jwt

    address = urllib.parse.urlsplit(source)
    if address.scheme not in ("http", "https"):
        return FileKeys(Path(source))
    if address.scheme == "http" and not is_loopback(address.hostname or ""):
        raise AccessError(f"{source}: keys are read over https, or from a file.")
    return jwt.PyJWKClient(source, cache_keys=True, lifespan=600, timeout=5)


@dataclass(frozen=True)
class Issuer:
    """Whose tokens are accepted.

    Parameters
    ----------
    issuer, audience : str
        Must be the token's ``iss`` and among its ``aud``.
    keys : Keys
    """

    issuer: str
    audience: str
    keys: Keys = field(repr=False)

    def name_of(self, token: str) -> str | None:
        """Return ``oidc:`` and the subject of a token that is in order, else None.

        May ask the issuer for its keys, so that it is not called on the event loop.
        """
        import jwt

        if len(token) > LONGEST_TOKEN or token.count(".") != 2:
            return None
        try:
            key = self.keys.get_signing_key_from_jwt(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=list(ALGORITHMS),
                issuer=self.issuer,
                audience=self.audience,
                leeway=LEEWAY_SECONDS,
                options={"require": list(_REQUIRED)},
            )
        except (jwt.PyJWTError, ValueError, TypeError, LookupError, RecursionError):
            return None
        subject = claims["sub"]
        named = isinstance(subject, str) and _PRINTABLE.fullmatch(subject)
        return f"oidc:{subject}" if named else None
