"""Whether an audit log is whole: every hash, every link, every number.

Says where the first break is and goes on behind it, so that one changed line does not hide another.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .chain import GENESIS, AuditError, Entry, Head, opened
from .log import segments

__all__ = ["Verdict", "entries", "verify"]


@dataclass
class Verdict:
    """What a check of a log found.

    Parameters
    ----------
    entries : int
    first, last : Head or None
    problems : list of str
        Signs that the log was changed; an intact log has none.
    remarks : list of str
        What is worth knowing but no sign of a change.
    """

    entries: int = 0
    first: Head | None = None
    last: Head | None = None
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Whether nothing was changed."""
        return not self.problems


def _files(log: Path) -> list[Path]:
    files = segments(log) if log.is_dir() else [log]
    if not files:
        raise AuditError(f"{log}: holds no audit log; expected files such as 2026-11.jsonl.")
    return files


def _lines(file: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with file.open("rb") as handle:
            for number, line in enumerate(handle, start=1):
                yield f"{file.name}, line {number}", line
    except OSError as error:
        raise AuditError(f"{file.name}: cannot be read: {error.strerror}") from error


def entries(log: Path) -> Iterator[Entry]:
    """Yield the entries of a log, in order, each checked against the one before.

    Parameters
    ----------
    log : Path
        The folder, or one of its files.

    Raises
    ------
    AuditError
        At the first line that was changed or does not follow; an unfinished last line is left out.
    """
    before: Head | None = None
    for file in _files(log):
        for where, line in _lines(file):
            if not line.endswith(b"\n"):
                return
            entry = opened(line, where)
            if before is not None and (problem := _break(entry, before)):
                raise AuditError(f"{where}: {problem}")
            before = entry.head
            yield entry


def _break(entry: Entry, before: Head) -> str | None:
    if entry.head.number != before.number + 1:
        return (
            f"entry {entry.head.number} follows entry {before.number}; entries are missing "
            "or were moved."
        )
    if entry.previous != before.hash:
        return f"entry {entry.head.number} does not carry the hash of the entry before it."
    return None


def verify(log: Path, expected: tuple[Head, ...] = ()) -> Verdict:
    """Check a log.

    Parameters
    ----------
    log : Path
        The folder, or one of its files.
    expected : tuple of Head
        Heads that were written down elsewhere; the log must still hold each.

    Raises
    ------
    AuditError
        When there is no log, or a file cannot be read.
    """
    found, before, awaited = Verdict(), None, {head.number: head for head in expected}
    files = _files(log)
    for file in files:
        for where, line in _lines(file):
            if not line.endswith(b"\n"):
                said = f"{where}: unfinished, {len(line)} bytes; the next start sets it aside."
                (found.remarks if file == files[-1] else found.problems).append(said)
                continue
            try:
                entry = opened(line, where)
            except AuditError as error:
                found.problems.append(str(error))
                before = None
                continue
            if before is not None and (problem := _break(entry, before)):
                found.problems.append(f"{where}: {problem}")
            before = entry.head
            _take_note(found, entry, awaited)
    for head in awaited.values():
        found.problems.append(f"entry {head.number} is not in the log; it was there once.")
    return found


def _take_note(found: Verdict, entry: Entry, awaited: dict[int, Head]) -> None:
    found.entries += 1
    if found.first is None:
        found.first = entry.head
        if entry.head.number > 1:
            found.remarks.append(
                f"begins at entry {entry.head.number}; what was before is not here."
            )
        elif entry.previous != GENESIS:
            found.problems.append("entry 1 says that another was before it.")
    found.last = entry.head
    head = awaited.pop(entry.head.number, None)
    if head is not None and head != entry.head:
        found.problems.append(
            f"entry {head.number} is another than was written down: {entry.head.hash[:12]}, "
            f"not {head.hash[:12]}."
        )
    if entry.kind == "recovery":
        found.remarks.append(
            f"entry {entry.head.number}: {entry.content.get('bytes')} bytes of an unfinished line "
            f"were set aside as aside/{entry.content.get('set_aside')}."
        )
