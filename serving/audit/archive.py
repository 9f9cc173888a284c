"""What was asked and which models answered, kept by hash.

Inputs are patients' data: they are kept only where a site wants to replay answers, readable by the
owner alone. A model is kept always, since it holds no patient.
"""

import hashlib
import os
import re
import tempfile
from pathlib import Path

from ...model.artifact import RiskModel
from ...model.loading import load_model
from .chain import AuditError
from .log import sync_folder

__all__ = ["Archive"]

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Archive:
    """A folder of files named by the hash of what they hold.

    Parameters
    ----------
    folder : Path
        Of the audit log.
    """

    def __init__(self, folder: Path) -> None:
        self.inputs = folder / "inputs"
        self.models = folder / "models"

    def keep_input(self, content: bytes) -> str:
        """Keep an input and return its SHA-256.

        Raises
        ------
        AuditError
            When it cannot be written.
        """
        digest = hashlib.sha256(content).hexdigest()
        _keep(self.inputs / digest[:2] / digest, content)
        return digest

    def input(self, digest: str) -> bytes:
        """Return an input.

        Raises
        ------
        AuditError
            When it is not in the archive, or was changed.
        """
        if not _DIGEST.fullmatch(digest):
            raise AuditError(f"{digest[:80]!r} is no SHA-256.")
        try:
            content = (self.inputs / digest[:2] / digest).read_bytes()
        except FileNotFoundError as error:
            raise AuditError(f"the input {digest[:12]} was not archived.") from error
        except OSError as error:
            raise AuditError(f"input {digest[:12]}: cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise AuditError(f"the archived input {digest[:12]} was changed.")
        return content

    def keep_model(self, model: RiskModel) -> None:
        """Keep a model under its hash.

        Raises
        ------
        AuditError
            When it cannot be written.
        """
        _keep(self.models / f"{model.sha256}.json", model.to_json().encode())

    def model(self, sha256: str) -> RiskModel:
        """Return a model by its hash.

        Raises
        ------
        AuditError
            When it is not in the archive.
        ModelError
            When its file was changed.
        """
        file = self.models / f"{sha256}.json"
        if not _DIGEST.fullmatch(sha256) or not file.is_file():
            raise AuditError(f"the model {sha256[:12]} is not in {self.models}.")
        model = load_model(file)
        if model.sha256 != sha256:
            raise AuditError(f"{file}: holds the model {model.version}.")
        return model


def _keep(file: Path, content: bytes) -> None:
    if file.exists():
        return
    try:
        for folder in (file.parent.parent, file.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", dir=file.parent)
        try:
            with os.fdopen(handle, "wb") as temporary:
                temporary.write(content)
                temporary.flush()
                os.fsync(temporary.fileno())
            Path(name).replace(file)
            sync_folder(file.parent)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise AuditError(f"{file.parent}: cannot be written: {error.strerror}") from error
