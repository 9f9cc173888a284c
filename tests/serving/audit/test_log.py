"""The log: durable, in one chain across threads and processes, honest about crashes and changes."""

import concurrent.futures
import os
import signal
import stat
import subprocess
import sys
import time

import pytest
from lnrisk.serving.audit.chain import AuditError, Head
from lnrisk.serving.audit.log import AuditLog, segments
from lnrisk.serving.audit.verify import entries, verify


@pytest.fixture
def log(tmp_path):
    log = AuditLog(tmp_path / "audit")
    yield log
    log.close()


def note(number):
    return {"kind": "answer", "number": number}


def written(folder, count=3):
    log = AuditLog(folder)
    for number in range(count):
        log.append(note(number))
    log.close()
    (file,) = segments(folder)
    return file


def test_entries_are_there_when_append_returns(log):
    heads = [log.append(note(number)) for number in range(3)]
    assert [entry.head for entry in entries(log.folder)] == heads
    assert verify(log.folder).intact


def test_only_the_owner_may_read(log):
    log.append(note(1))
    assert stat.S_IMODE(log.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(f.stat().st_mode) for f in segments(log.folder)} == {0o600}


def test_threads_share_one_chain(log):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        heads = list(pool.map(lambda n: log.append(note(n)), range(200)))
    assert sorted(head.number for head in heads) == list(range(1, 201))
    found = verify(log.folder)
    assert found.intact
    assert found.entries == 200


WORKER = """
import sys
from pathlib import Path
from lnrisk.serving.audit.log import AuditLog
log = AuditLog(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    head = log.append({"kind": "answer", "number": number})
    print(head, flush=True)
log.close()
"""


def worker(folder, count):
    arguments = [sys.executable, "-c", WORKER, str(folder), str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_processes_share_one_chain(tmp_path):
    workers = [worker(tmp_path, 40) for _ in range(3)]
    for one in workers:
        assert one.wait(timeout=60) == 0
        one.stdout.close()
    found = verify(tmp_path)
    assert found.intact
    assert found.entries == 120


def test_what_was_acknowledged_survives_kill_9(tmp_path):
    one = worker(tmp_path, 10**9)
    heads = [one.stdout.readline() for _ in range(30)][1:]
    os.kill(one.pid, signal.SIGKILL)
    heads += one.stdout.read().splitlines(keepends=True)
    one.wait(timeout=10)
    one.stdout.close()
    acknowledged = [Head.parse(line) for line in heads if line.endswith("\n")]
    log = AuditLog(tmp_path)
    log.append(note(0))
    log.close()
    assert verify(tmp_path, tuple(acknowledged)).intact
    assert len(acknowledged) >= 29


@pytest.mark.parametrize("torn", [b'{"entry":4,"kind":"ans', b"\x00" * 100, b"{"])
def test_an_unfinished_last_line_is_kept_aside_and_said(tmp_path, torn):
    file = written(tmp_path)
    with file.open("ab") as handle:
        handle.write(torn)
    assert "unfinished" in verify(tmp_path).remarks[0]
    log = AuditLog(tmp_path)
    log.append(note(3))
    log.close()
    found = verify(tmp_path)
    assert found.intact
    assert f"{len(torn)} bytes" in found.remarks[0]
    (kept,) = (tmp_path / "aside").iterdir()
    assert kept.read_bytes() == torn
    assert [entry.kind for entry in entries(tmp_path)][3:] == ["recovery", "answer"]


def test_a_first_line_that_was_never_finished(tmp_path):
    month = tmp_path / f"{time.gmtime().tm_year}-{time.gmtime().tm_mon:02}.jsonl"
    month.write_bytes(b'{"entry":1')
    log = AuditLog(tmp_path)
    assert log.append(note(0)).number == 2
    log.close()
    assert verify(tmp_path).intact


def changed(file, change):
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(change(lines)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: [rows[0].replace(b"answer", b"anzwer"), *rows[1:]], "line 1: the content"),
        (lambda rows: [rows[0], rows[2]], "entry 3 follows entry 1"),
        (lambda rows: [rows[1], rows[0], rows[2]], "follows entry"),
        (lambda rows: [rows[0], b"\n", *rows[1:]], "not an audit entry"),
        (lambda rows: [rows[0], rows[1].upper(), rows[2]], "line 2"),
    ],
)
def test_a_change_is_seen(tmp_path, change, said):
    file = written(tmp_path)
    changed(file, change)
    found = verify(tmp_path)
    assert not found.intact
    assert any(said in problem for problem in found.problems)
    with pytest.raises(AuditError, match=r"line|entry"):
        list(entries(tmp_path))


def test_entries_that_were_cut_off_are_seen_by_a_head_kept_elsewhere(tmp_path):
    file = written(tmp_path)
    head = verify(tmp_path).last
    changed(file, lambda rows: rows[:-1])
    assert verify(tmp_path).intact
    assert "entry 3 is not in the log" in verify(tmp_path, (head,)).problems[0]


def test_a_log_made_anew_is_seen_by_a_head_kept_elsewhere(tmp_path):
    file = written(tmp_path)
    head = verify(tmp_path).last
    file.unlink()
    written(tmp_path)
    assert verify(tmp_path).intact
    assert "another than was written down" in verify(tmp_path, (head,)).problems[0]


def test_a_changed_last_entry_stops_the_service(tmp_path):
    file = written(tmp_path)
    changed(file, lambda rows: [*rows[:-1], rows[-1].replace(b"answer", b"anzwer")])
    with pytest.raises(AuditError, match="does not match its hash"):
        AuditLog(tmp_path)


def test_the_chain_goes_on_in_the_next_month(tmp_path):
    written(tmp_path).rename(tmp_path / "2020-01.jsonl")
    log = AuditLog(tmp_path)
    log.append(note(3))
    log.close()
    assert len(segments(tmp_path)) == 2
    assert verify(tmp_path).entries == 4
    (tmp_path / "2020-01.jsonl").unlink()
    found = verify(tmp_path)
    assert found.intact
    assert "begins at entry 4" in found.remarks[0]


def test_a_clock_set_back_starts_no_earlier_file(tmp_path):
    written(tmp_path).rename(tmp_path / "9999-01.jsonl")
    log = AuditLog(tmp_path)
    log.append(note(3))
    log.close()
    assert [file.name for file in segments(tmp_path)] == ["9999-01.jsonl"]
    assert verify(tmp_path).intact


def test_what_cannot_be_written_is_not_in_the_log(log, monkeypatch):
    log.append(note(1))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(AuditError, match="No space left"):
            log.append(note(2))
    assert log.append(note(3)).number == 2
    assert verify(log.folder).intact


def test_an_entry_that_is_no_json_does_not_hurt_the_others(log):
    bad, good = log.submit({"kind": "x", "value": float("nan")}), log.submit(note(1))
    with pytest.raises(AuditError):
        bad.result()
    assert good.result().number == 1


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "audit").write_text("")
    with pytest.raises(AuditError, match="cannot be written"):
        AuditLog(tmp_path / "audit")


def test_no_log(tmp_path):
    with pytest.raises(AuditError, match="holds no audit log"):
        verify(tmp_path)
