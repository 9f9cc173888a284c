"""Soak: ask a service as fast as it answers, for minutes, and see whether it stays as it was.

``python bench/soak.py MODEL --seconds 600`` starts `lnrisk serve` on this machine's own address
with an audit log and archived inputs, asks about made-up patients with a fixed number of clients
who wait for each answer, one request in ten being wrong on purpose, and watches errors, latency
and memory. It ends with SIGTERM in the middle of the asking, verifies the log and replays a sample.
Exit code 1 when anything is not as it should be.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from lnrisk.serving.audit.verify import entries, verify
from lnrisk.serving.replay import replay
from lnrisk.serving.rows import EXAMPLE

WRONG_ONE_IN = 10
WARM_UP = 0.25
"""Share of the time after which memory is expected to be flat."""

MOST_GROWTH = 0.05
REPLAYED = 20


@dataclass
class Seen:
    """What the clients and the watcher saw."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    files: list[int] = field(default_factory=list)


def made_up(draw: random.Random) -> tuple[dict[str, object], int]:
    """Return a request, and the status that it deserves."""
    content = json.loads(json.dumps(EXAMPLE))
    for row in content["measurements"]:
        row["value"] = round(row["value"] * draw.uniform(0.5, 1.8), 3)
    if draw.randrange(WRONG_ONE_IN):
        return content, 200
    content["measurements"][0]["unit"] = "furlong"
    return content, 422


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def memory(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def ask(client: httpx.AsyncClient, seen: Seen, until: float, seed: int) -> None:
    """Ask until the time is over; note what was not as it should be."""
    draw = random.Random(seed)
    while time.monotonic() < until:
        content, deserved = made_up(draw)
        began = time.perf_counter()
        try:
            answer = await client.post("/v1/risk", json=content)
        except httpx.TransportError as error:
            seen.unexpected.append(type(error).__name__)
            continue
        seen.seconds.append(time.perf_counter() - began)
        seen.statuses[answer.status_code] = seen.statuses.get(answer.status_code, 0) + 1
        if answer.status_code != deserved:
            seen.unexpected.append(f"{answer.status_code}, not {deserved}")


async def watch(pid: int, seen: Seen, until: float) -> None:
    """Note memory and open files once a second."""
    began = time.monotonic()
    while time.monotonic() < until:
        seen.memory.append((time.monotonic() - began, memory(pid)))
        seen.files.append(len(os.listdir(f"/proc/{pid}/fd")))
        await asyncio.sleep(1)


async def last_ones(
    client: httpx.AsyncClient, process: subprocess.Popen[bytes], seen: Seen
) -> None:
    """Stop the service while it answers a batch; what was begun has to be finished."""
    batch = {"requests": [EXAMPLE] * 50}
    asking = asyncio.create_task(client.post("/v1/risk:batch", json=batch, timeout=60))
    await asyncio.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    try:
        answer = await asking
    except httpx.TransportError as error:
        seen.unexpected.append(f"the batch at the end: {type(error).__name__}")
        return
    if answer.status_code != 200 or len(answer.text.splitlines()) != 50:
        seen.unexpected.append(f"the batch at the end: {answer.status_code}")


async def soak(
    process: subprocess.Popen[bytes], address: str, seconds: float, clients: int
) -> Seen:
    """Run clients and watcher, then stop the service."""
    seen = Seen()
    limits = httpx.Limits(max_connections=clients + 1)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=30) as client:
        for _ in range(600):
            try:
                await client.get("/healthz")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        until = time.monotonic() + seconds
        asking = [ask(client, seen, until, seed) for seed in range(clients)]
        await asyncio.gather(watch(process.pid, seen, until), *asking)
        await last_ones(client, process, seen)
    process.wait(timeout=60)
    return seen


def report(seen: Seen, seconds: float, audit: Path) -> tuple[list[str], list[str]]:
    """Return what was seen, and what is wrong."""
    milliseconds = np.array(seen.seconds) * 1000
    p50, p99, most = np.quantile(milliseconds, [0.5, 0.99, 1])
    when, used = np.array(seen.memory).T
    after = used[when >= WARM_UP * seconds]
    quarter = max(1, len(after) // 4)
    first, last = np.median(after[:quarter]), np.median(after[-quarter:])
    growth = last / first - 1
    log = verify(audit)
    again = sample(audit)
    lines = [
        f"{len(milliseconds)} requests in {seconds:g} s, {len(milliseconds) / seconds:.1f} per s",
        f"statuses {dict(sorted(seen.statuses.items()))}, unexpected {len(seen.unexpected)}",
        f"latency ms: p50 {p50:.1f}, p99 {p99:.1f}, most {most:.1f}",
        f"memory MB: {first:.1f} after warm-up, {last:.1f} at the end ({growth:+.1%}), "
        f"most {used.max():.1f}",
        f"open files: {seen.files[0]} at first, {seen.files[-1]} at the end",
        f"audit: {log.entries} entries, {'intact' if log.intact else 'CHANGED'}; "
        f"{sum(again)} of {len(again)} replayed equal",
    ]
    wrong = [f"unexpected: {each}" for each in dict.fromkeys(seen.unexpected)]
    if growth > MOST_GROWTH:
        wrong.append(f"memory grew by {growth:.1%}, at most {MOST_GROWTH:.0%} is flat")
    if not log.intact or not all(again):
        wrong.append("the audit log is not intact, or an answer is not equal again")
    answered = sum(entry.kind == "answer" for entry in entries(audit))
    if answered != len(milliseconds) + 1:
        wrong.append(f"{answered} answers in the log, {len(milliseconds) + 1} were given")
    return lines, wrong


def sample(audit: Path) -> list[bool]:
    """Replay the first answers."""
    again = []
    for found in replay(audit):
        again.append(found.equal is True)
        if len(again) == REPLAYED:
            break
    return again


def main() -> int:
    """Run the soak."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", help="Folder or MLflow URI.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=4)
    chosen = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        audit = Path(folder) / "audit"
        command = [sys.executable, "-m", "lnrisk", "serve", chosen.model, "--port", str(port)]
        command += ["--audit", str(audit), "--archive-inputs"]
        process = subprocess.Popen(command)
        try:
            address = f"http://127.0.0.1:{port}"
            seen = asyncio.run(soak(process, address, chosen.seconds, chosen.clients))
        finally:
            process.kill()
            process.wait()
        lines, wrong = report(seen, chosen.seconds, audit)
    print(*lines, *[f"NOT AS IT SHOULD BE: {each}" for each in wrong], sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
