"""One line of the audit log: an entry that carries its own hash and that of the entry before.

The chain shows any change inside the log. It cannot show that the last entries were cut off, or
that somebody who may write the files made all hashes anew: for that a head (number and hash of an
entry) has to be kept elsewhere, and `lnrisk audit verify --head` compares it.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from ...features.errors import LnriskError

__all__ = ["GENESIS", "AuditError", "Entry", "Head", "opened", "sealed"]

GENESIS = "0" * 64
_SEAL = re.compile(rb',"hash":"([0-9a-f]{64})"\}')
_SEAL_LENGTH = len(b',"hash":""}') + 64


class AuditError(LnriskError):
    """The audit log cannot be read as one, or cannot be written."""


@dataclass(frozen=True)
class Head:
    """Number and hash of an entry; what a chain goes on from.

    Examples
    --------
    >>> Head.parse("0:" + "0" * 64) == Head()
    True
    """

    number: int = 0
    hash: str = GENESIS

    def __str__(self) -> str:
        """Return the head as it is written down."""
        return f"{self.number}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Read what `str` wrote.

        Raises
        ------
        AuditError
            When it is none.
        """
        found = re.fullmatch(r"([0-9]{1,15}):([0-9a-f]{64})", text.strip())
        if not found:
            raise AuditError(f"{text[:80]!r} is no head; expected NUMBER:HASH with 64 hex digits.")
        return cls(int(found[1]), found[2])


@dataclass(frozen=True)
class Entry:
    """A checked line.

    Parameters
    ----------
    head : Head
        Its own number and hash.
    previous : str
        Hash of the entry before.
    kind, time : str
        What is recorded, and when (ISO 8601, UTC).
    content : dict
        Everything that the line says.
    """

    head: Head
    previous: str
    kind: str
    time: str
    content: dict[str, Any]


def sealed(content: dict[str, Any], before: Head) -> tuple[bytes, Head]:
    """Return the line of the entry after `before`, and its head.

    Parameters
    ----------
    content : dict
        JSON values; at least ``kind`` and ``time``.
    before : Head

    Raises
    ------
    AuditError
        When the content is no JSON, as with nan.
    """
    whole = {**content, "entry": before.number + 1, "previous": before.hash}
    try:
        body = json.dumps(
            whole, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True
        ).encode()
    except (TypeError, ValueError) as error:
        raise AuditError(f"an entry must hold JSON values: {type(error).__name__}") from error
    digest = hashlib.sha256(body).hexdigest()
    return body[:-1] + f',"hash":"{digest}"}}\n'.encode(), Head(before.number + 1, digest)


def opened(line: bytes, where: str = "entry") -> Entry:
    """Read a line and check its own hash.

    Parameters
    ----------
    line : bytes
        With or without its newline.
    where : str
        How to name the line in an error.

    Raises
    ------
    AuditError
        When it is no entry, or was changed.
    """
    line = line.removesuffix(b"\n")
    seal = _SEAL.fullmatch(line[-_SEAL_LENGTH:])
    if not seal:
        raise AuditError(f"{where}: not an audit entry; it does not end in a hash.")
    body = line[:-_SEAL_LENGTH] + b"}"
    digest = hashlib.sha256(body).hexdigest()
    if digest.encode() != seal[1]:
        raise AuditError(f"{where}: the content does not match its hash; it was changed.")
    try:
        content = json.loads(body)
        number, previous = content["entry"], content["previous"]
        kind, time = content["kind"], content["time"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise AuditError(f"{where}: not an audit entry: {type(error).__name__}.") from error
    texts = all(isinstance(value, str) for value in (previous, kind, time))
    if not texts or not isinstance(number, int) or isinstance(number, bool):
        raise AuditError(f"{where}: not an audit entry: a field has the wrong type.")
    return Entry(Head(number, digest), previous, kind, time, content)
