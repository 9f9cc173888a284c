"""Keyed hashes of patient identifiers: enough to join an answer to what became of the patient.

Identifiers are short and can be guessed, so that a hash without a key would name the patient to
anyone who tries them all. The key stays apart from the log: who has only the log learns that two
entries are of one patient, and nothing of whom.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .chain import AuditError

__all__ = ["KEY_VARIABLE", "Pseudonyms", "load_pseudonyms"]

KEY_VARIABLE = "LNRISK_PSEUDONYM_KEY"
_PURPOSE = b"lnrisk audit pseudonym 1\x00"
_KEY = re.compile(r"[0-9a-f]{64,}")
_OPEN_TO_OTHERS = 0o077


@dataclass(frozen=True)
class Pseudonyms:
    """Makes pseudonyms with one key.

    Parameters
    ----------
    key : bytes
        At least 32, random.

    Examples
    --------
    >>> make = Pseudonyms(bytes(32))
    >>> make("A-17") == make(" a-17 "), make("A-17").partition(":")[0] == make.key_name
    (True, True)
    """

    key: bytes = field(repr=False)

    @property
    def key_name(self) -> str:
        """Eight digits that tell keys apart and say nothing about them."""
        return hashlib.sha256(b"lnrisk key name\x00" + self.key).hexdigest()[:8]

    def __call__(self, identifier: str) -> str:
        """Return ``KEYNAME:HASH``; white space around, case and Unicode form make no difference."""
        same = unicodedata.normalize("NFKC", identifier).strip().casefold()
        digest = hmac.new(self.key, _PURPOSE + same.encode("utf-8", "replace"), hashlib.sha256)
        return f"{self.key_name}:{digest.hexdigest()[:32]}"


def load_pseudonyms(file: Path | None, environment: Mapping[str, str]) -> Pseudonyms | None:
    """Return what makes pseudonyms: with the key of a file, else of the environment, else None.

    Raises
    ------
    AuditError
        When the file can be read by others, or the key is not 64 hexadecimal digits or more.
    """
    source = str(file) if file else KEY_VARIABLE
    if file is None:
        text = environment.get(KEY_VARIABLE, "")
        if not text:
            return None
    else:
        try:
            if file.stat().st_mode & _OPEN_TO_OTHERS:
                raise AuditError(f"{file}: can be read by others; expected `chmod 600`.")
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise AuditError(f"{file}: not a readable key: {type(error).__name__}.") from error
    if not _KEY.fullmatch(text.strip()) or len(text.strip()) % 2:
        raise AuditError(
            f"{source}: no key; expected 64 or more hexadecimal digits, as of "
            "`openssl rand -hex 32`."
        )
    return Pseudonyms(bytes.fromhex(text.strip()))
