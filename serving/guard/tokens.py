"""Bearer tokens: 256 random bits, shown once to whoever makes one, kept as a hash beside a name.

Assumes tokens made by `new_token`: so much chance cannot be searched, which is why a plain SHA-256
without salt is enough. A password that a person chose would not be safe in this form.
"""

import datetime
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...features.errors import LnriskError

__all__ = ["TOKENS_VARIABLE", "AccessError", "Token", "Tokens", "load_tokens", "new_token"]

TOKENS_VARIABLE = "LNRISK_TOKENS"
PREFIX = "lnrisk_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_EXPECTED = "expected NAME sha256:DIGEST [LAST-DAY], as `lnrisk token NAME` prints it"
_WRITABLE_BY_OTHERS = 0o022


class AccessError(LnriskError):
    """Who may ask is not settled, so that the service must not start."""


@dataclass(frozen=True)
class Token:
    """What is kept of a token.

    Parameters
    ----------
    name : str
        Who has it; this is what the audit log says.
    digest : str
        SHA-256, hexadecimal.
    last_day : date or None
        The last day (UTC) on which it is accepted.
    """

    name: str
    digest: str
    last_day: datetime.date | None = None

    def __str__(self) -> str:
        """Return the line of a tokens file."""
        until = f" {self.last_day}" if self.last_day else ""
        return f"{self.name} sha256:{self.digest}{until}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_token(name: str, last_day: datetime.date | None = None) -> tuple[str, Token]:
    """Return a new token and what is kept of it.

    Raises
    ------
    AccessError
        When the name is none.
    """
    if not _NAME.fullmatch(name):
        raise AccessError(f"{name!r} is no name; expected letters, digits, '.', '_' and '-'.")
    token = PREFIX + secrets.token_urlsafe(32)
    return token, Token(name, _digest(token), last_day)


@dataclass(frozen=True)
class Tokens:
    """Every token that is accepted."""

    known: tuple[Token, ...]

    def name_of(self, token: str, today: datetime.date | None = None) -> str | None:
        """Return whose token it is; None for one that is not known, or no longer accepted.

        Every known token is compared, in constant time.
        """
        day = today or datetime.datetime.now(tz=datetime.UTC).date()
        digest, name = _digest(token), None
        for each in self.known:
            same = hmac.compare_digest(each.digest, digest)
            if same and (each.last_day is None or day <= each.last_day):
                name = each.name
        return name


def read_tokens(text: str, source: str) -> Tokens:
    """Read lines of ``NAME sha256:DIGEST [LAST-DAY]``; ``#`` begins a comment.

    Raises
    ------
    AccessError
        Names the line, never what it holds.
    """
    found: list[Token] = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.partition("#")[0].split()
        if parts:
            found.append(_token(parts, f"{source}, line {number}"))
    if not found:
        raise AccessError(f"{source}: holds no token; {_EXPECTED}.")
    for what in ("name", "digest"):
        values = [getattr(token, what) for token in found]
        if len(set(values)) < len(values):
            raise AccessError(f"{source}: two tokens have the same {what}.")
    return Tokens(tuple(found))


def _token(parts: list[str], where: str) -> Token:
    digest = _DIGEST.fullmatch(parts[1]) if len(parts) in (2, 3) else None
    if not digest or not _NAME.fullmatch(parts[0]):
        raise AccessError(f"{where}: not a token; {_EXPECTED}.")
    try:
        last_day = datetime.date.fromisoformat(parts[2]) if len(parts) == 3 else None
    except ValueError as error:
        raise AccessError(f"{where}: the last day is not a date YYYY-MM-DD.") from error
    return Token(parts[0], digest[1], last_day)


def load_tokens(file: Path | None, environment: Mapping[str, str]) -> Tokens | None:
    """Return the tokens of a file, else of ``LNRISK_TOKENS`` (lines, or ``;`` between), else None.

    Raises
    ------
    AccessError
        When the file cannot be read, may be written by others, or a line is wrong.
    """
    if file is None:
        text = environment.get(TOKENS_VARIABLE)
        return read_tokens(text.replace(";", "\n"), TOKENS_VARIABLE) if text else None
    try:
        if file.stat().st_mode & _WRITABLE_BY_OTHERS:
            raise AccessError(f"{file}: may be written by others; expected `chmod 600`.")
        return read_tokens(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"{file}: not a readable tokens file: {type(error).__name__}.") from error
