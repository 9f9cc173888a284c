"""The append-only audit log: a folder with one file of JSON lines per month.

An entry is on the disk before `append` returns. Several threads share one write and one fsync;
several processes take turns by a file lock. What a crash left of an unfinished line is moved to
``aside/`` and said in an entry of its own. Assumes a local disk whose fsync is honest and whose
locks work: not a network share.
"""

import contextlib
import datetime
import fcntl
import hashlib
import os
import queue
import re
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from .chain import AuditError, Entry, Head, opened, sealed

__all__ = ["AuditLog", "segments", "sync_folder", "timestamp"]

SEGMENT = re.compile(r"[0-9]{4}-[0-9]{2}\.jsonl")
LARGEST_GROUP = 256
_BLOCK = 1 << 16


def timestamp(moment: datetime.datetime) -> str:
    """Return a moment as entries write it: ISO 8601, UTC, milliseconds."""
    utc = moment.astimezone(datetime.UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def segments(folder: Path) -> list[Path]:
    """Return the files of a log, in order."""
    return sorted(path for path in folder.glob("*.jsonl") if SEGMENT.fullmatch(path.name))


def _now() -> datetime.datetime:
    return datetime.datetime.now(tz=datetime.UTC)


class AuditLog:
    """A log open for appending.

    Parameters
    ----------
    folder : Path
        Made, for its owner only, where it does not exist.

    Raises
    ------
    AuditError
        When the folder cannot be written, or its last entry was changed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._waiting: queue.SimpleQueue[tuple[dict[str, Any], Future[Head]] | None] = (
            queue.SimpleQueue()
        )
        self._file: Path | None = None
        self._end = 0
        self._head = Head()
        self._failing = False
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            with self._alone():
                self._catch_up()
        except OSError as error:
            raise AuditError(f"{folder}: cannot be written: {error.strerror}") from error
        self._writer = threading.Thread(target=self._write_groups, name="audit", daemon=True)
        self._writer.start()

    @property
    def head(self) -> Head:
        """Number and hash of the last entry that this process has seen."""
        return self._head

    @property
    def works(self) -> bool:
        """Whether the last entry could be written; after a failure, whether one can be now."""
        if self._failing:
            with contextlib.suppress(AuditError):
                self.append({"kind": "probe"})
        return not self._failing

    def submit(self, content: dict[str, Any]) -> "Future[Head]":
        """Queue an entry; the result is there once it is on the disk.

        Parameters
        ----------
        content : dict
            JSON values; ``time`` is added where it is not there.
        """
        done: Future[Head] = Future()
        self._waiting.put(({"time": timestamp(_now()), **content}, done))
        return done

    def append(self, content: dict[str, Any]) -> Head:
        """Append an entry and wait until it is on the disk.

        Raises
        ------
        AuditError
            When it could not be written; then it is not in the log.
        """
        return self.submit(content).result()

    def close(self) -> None:
        """Write what is queued, and stop."""
        self._waiting.put(None)
        self._writer.join()
        os.close(self._lock)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _write_groups(self) -> None:
        going_on = True
        while going_on:
            group = [self._waiting.get()]
            with contextlib.suppress(queue.Empty):
                while len(group) < LARGEST_GROUP:
                    group.append(self._waiting.get_nowait())
            going_on = None not in group
            self._write([item for item in group if item is not None])

    def _write(self, group: "list[tuple[dict[str, Any], Future[Head]]]") -> None:
        """Seal and write a group; each waiter hears of its own entry's fate."""
        waiters = [done for _, done in group if done.set_running_or_notify_cancel()]
        heads: list[tuple[Future[Head], Head]] = []
        try:
            with self._alone():
                self._catch_up()
                head, lines = self._head, []
                for content, done in group:
                    try:
                        line, head = sealed(content, head)
                    except AuditError as error:
                        if done in waiters:
                            done.set_exception(error)
                        continue
                    lines.append(line)
                    heads.append((done, head))
                self._flush(b"".join(lines), head)
        except Exception as error:  # the thread lives on, and each waiter hears what happened
            said = (error.strerror if isinstance(error, OSError) else None) or str(error)
            self._failing = True
            failure = AuditError(f"{self.folder}: the audit log cannot be written: {said}")
            failure.__cause__ = error
            for done in waiters:
                if not done.done():
                    done.set_exception(failure)
            return
        self._failing = False
        for done, head in heads:
            if not done.cancelled():
                done.set_result(head)

    def _flush(self, lines: bytes, head: Head) -> None:
        """Write lines durably, or leave the file as it was."""
        if not lines:
            return
        month = self.folder / f"{_now():%Y-%m}.jsonl"
        file = max(month, self._file) if self._file else month
        new = not file.exists()
        start = 0 if new or file != self._file else self._end
        handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            try:
                written = os.pwrite(handle, lines, start)
                while written < len(lines):
                    written += os.pwrite(handle, lines[written:], start + written)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, start)
                raise
        finally:
            os.close(handle)
        if new:
            sync_folder(self.folder)
        self._file, self._end, self._head = file, start + len(lines), head

    def _catch_up(self) -> None:
        """Learn what other processes appended; set aside what a crash left unfinished."""
        files = segments(self.folder)
        if not files:
            self._file, self._end, self._head = None, 0, Head()
            return
        file = files[-1]
        size = file.stat().st_size
        if file == self._file and size == self._end:
            return
        entry, end = _last_entry(file, size)
        if entry is None and len(files) > 1:
            before = files[-2]
            entry, _ = _last_entry(before, before.stat().st_size)
        self._file, self._end = file, end
        self._head = entry.head if entry else Head()
        if end < size:
            self._set_aside(file, end, size)

    def _set_aside(self, file: Path, end: int, size: int) -> None:
        """Move an unfinished line away, durably, before it is cut off the log."""
        with file.open("rb") as handle:
            handle.seek(end)
            torn = handle.read(size - end)
        aside = self.folder / "aside"
        aside.mkdir(mode=0o700, exist_ok=True)
        digest = hashlib.sha256(torn).hexdigest()
        kept = aside / f"{file.stem}-{end}-{digest[:12]}"
        with open(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as copy:
            copy.write(torn)
            copy.flush()
            os.fsync(copy.fileno())
        sync_folder(aside)
        os.truncate(file, end)
        line, head = sealed(
            {
                "kind": "recovery",
                "time": timestamp(_now()),
                "set_aside": kept.name,
                "bytes": len(torn),
                "sha256": digest,
            },
            self._head,
        )
        self._flush(line, head)


def _last_entry(file: Path, size: int) -> tuple[Entry | None, int]:
    """Return the last whole line of a file and where it ends; None where there is no whole line."""
    with file.open("rb") as handle:
        tail, start = b"", size
        while start > 0 and tail.count(b"\n") < 2:
            start = max(0, start - max(_BLOCK, len(tail)))
            handle.seek(start)
            tail = handle.read(size - start)
    last = tail.rfind(b"\n")
    if last < 0:
        return None, 0
    line = tail[tail.rfind(b"\n", 0, last) + 1 : last]
    return opened(line, f"{file.name}, last line"), start + last + 1


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
