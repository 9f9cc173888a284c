"""Requests per second of the service and of ``mlflow models serve`` with the same model.

Both run one worker on loopback and take turns; wrk asks with 1 and with 8 clients. The same rows of
features go to both, and both must answer the same risk to 1e-12. Processor time per request is that
of the service alone, without wrk. A latency of milliseconds is soon that of other work on the
machine, so of several turns the one with the least of it counts. ``serving.py --out`` writes the
page's part.
"""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lnrisk.features.pipeline import features_at, index_days
from lnrisk.features.registry import read_registry
from lnrisk.model.artifact import MODEL_FILE, RiskModel
from lnrisk.model.definition import load_definition
from lnrisk.serving.rows import EXAMPLE
from page import PERFORMANCE, digits, replace, table

SECONDS = 6
TURNS = 5
CALM = 0.05
"""Cores that other work may take during a figure; where it takes more, another turn is made."""

CLIENTS = (1, 8)
PATIENTS = 1_000
REFITS = 200
MLFLOW_CODE = Path(__file__).parents[1] / "serving" / "mlflow_model.py"
TARGETS = {"times": 10.0, "p99_ms": 10.0, "cold_start": 2.0, "mebibytes": 150.0}
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    "OPENBLAS_NUM_THREADS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True)
class Load:
    """What wrk measured, the service's processor time for a request, cores that others took."""

    per_second: float
    median_ms: float
    p99_ms: float
    processor_ms: float
    others: float


@dataclass(frozen=True)
class Service:
    """A service that runs.

    Parameters
    ----------
    address : str
    process : Popen
    cold_start : float
        Seconds from the start of the process to the first answer.
    """

    address: str
    process: "subprocess.Popen[bytes]"
    cold_start: float

    def mebibytes(self) -> float:
        """Return the peak resident memory of the process and its children."""
        statuses = [Path(f"/proc/{pid}/status").read_text() for pid in self._pids()]
        return sum(int(re.search(r"VmHWM:\s+(\d+)", each)[1]) for each in statuses) / 1024

    def processor_seconds(self) -> float:
        """Return the processor time that the process and its children have taken."""
        stats = [Path(f"/proc/{pid}/stat").read_text() for pid in self._pids()]
        ticks = [each.rpartition(")")[2].split()[11:13] for each in stats]
        return sum(int(user) + int(system) for user, system in ticks) / os.sysconf("SC_CLK_TCK")

    def _pids(self) -> list[int]:
        return [self.process.pid, *_children(self.process.pid)]


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in map(int, listed) for each in (child, *_children(child))]


def _post(url: str, body: bytes) -> Any:
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command: list[str], path: str, body: bytes) -> Iterator[Service]:
    """Start a service on a free port, wait for its first answer to `body`, and end it after."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*command, "--port", str(port)], env=ENVIRONMENT, stderr=said, stdout=said
        )
        try:
            while True:
                try:
                    _post(address + path, body)
                    break
                except (OSError, urllib.error.URLError):
                    if process.poll() is not None:
                        said.seek(0)
                        raise SystemExit(said.read().decode()) from None
                    time.sleep(0.01)
            yield Service(address, process, time.perf_counter() - begin)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def load(service: Service, path: str, body: bytes, clients: int) -> Load:
    """Let wrk ask until a turn is calm; return the calmest."""
    turns = []
    while len(turns) < TURNS and not any(turn.others < CALM for turn in turns):
        turns.append(one_turn(service, path, body, clients))
    return min(turns, key=lambda turn: turn.others)


def _busy_seconds() -> float:
    """Return the processor time that the whole machine has taken."""
    user, nice, system, _, _, *interrupts = Path("/proc/stat").read_text().split()[1:9]
    ticks = sum(map(int, (user, nice, system, *interrupts)))
    return ticks / os.sysconf("SC_CLK_TCK")


def one_turn(service: Service, path: str, body: bytes, clients: int) -> Load:
    """Let wrk ask for some seconds.

    Raises
    ------
    SystemExit
        When an answer was no 200.
    """
    url, before = service.address + path, service.processor_seconds()
    busy, own = _busy_seconds(), sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    began = time.perf_counter()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        quoted = body.decode().replace("]]", "] ]")
        script.write(f'wrk.method = "POST"\nwrk.body = [[{quoted}]]\n')
        script.write('wrk.headers["Content-Type"] = "application/json"\n')
        script.flush()
        run = subprocess.run(
            [
                "wrk",
                "-t1",
                f"-c{clients}",
                f"-d{SECONDS}s",
                "--timeout",
                "60s",
                "--latency",
                "-s",
                script.name,
                url,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    if "Non-2xx" in run.stdout or "Socket errors" in run.stdout:
        raise SystemExit(f"{url}: {run.stdout}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", run.stdout)[1])
    taken = service.processor_seconds() - before
    per_request = 1000 * taken / int(re.search(r"(\d+) requests in", run.stdout)[1])
    wrk = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - own
    others = (_busy_seconds() - busy - taken - wrk) / (time.perf_counter() - began)
    median, p99 = (_latency(run.stdout, percentile) for percentile in (50, 99))
    return Load(rate, median, p99, per_request, max(others, 0.0))


def _latency(said: str, percentile: int) -> float:
    value, unit = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s)", said).groups()
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def trained(folder: Path) -> tuple[RiskModel, str]:
    """Fit a model to simulated patients, write and register it; return it and MLflow's address."""
    import mlflow
    from lnrisk.training.config import TrainingConfig
    from lnrisk.training.simulate import simulate, write
    from lnrisk.training.train import fit_model

    write(simulate(PATIENTS, 1), folder / "registry", "parquet")
    config = TrainingConfig(seed=1, allow_small=True, refits=REFITS)
    registry = read_registry(folder / "registry")
    model = fit_model(registry, load_definition(), config, lambda what, done, of: None)
    (folder / "exported").mkdir()
    file = folder / "exported" / MODEL_FILE
    file.write_text(model.to_json(), encoding="utf-8")
    tracking = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(tracking)
    mlflow.set_experiment(experiment_id=_experiment(folder))
    mlflow.pyfunc.log_model(
        name="model",
        python_model=str(MLFLOW_CODE),
        artifacts={"model": str(file)},
        signature=_signature(model),
        pip_requirements=[],
        registered_model_name="lnrisk",
    )
    return model, tracking


def _experiment(folder: Path) -> str:
    import mlflow

    return mlflow.create_experiment("bench", artifact_location=(folder / "artifacts").as_uri())


def _signature(model: RiskModel) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    inputs = [ColSpec(DataType.double, name, required=False) for name in model.input_names]
    outputs = [ColSpec(DataType.double, name) for name in ("risk", "risk_lower", "risk_upper")]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def one_row(model: RiskModel, registry: Path) -> dict[str, float | None]:
    """Return the inputs of the first patient whom the model scores."""
    patients = read_registry(registry)
    days = model.landmarks[len(model.landmarks) // 2]
    features = features_at(patients, index_days(patients), days, model.analytes).whole
    seen = ~model.outside_range(features).any(axis=1) & ~model.unseen_missing(features)
    seen &= features[model.required_feature].notna().to_numpy()
    row = features[model.input_names].iloc[int(np.flatnonzero(seen)[0])]
    return {name: None if np.isnan(value) else float(value) for name, value in row.items()}


def bodies(row: dict[str, float | None]) -> dict[str, bytes]:
    """Return the same row as either service takes it, and the example patient."""
    tensors = [
        {"name": name, "shape": [1, 1], "datatype": "FP64", "data": [value]}
        for name, value in row.items()
    ]
    split = {"columns": list(row), "data": [list(row.values())]}
    return {
        "lnrisk": json.dumps({"inputs": tensors}).encode(),
        "mlflow": json.dumps({"dataframe_split": split}).encode(),
        "patient": json.dumps(EXAMPLE).encode(),
    }


def _same(own: Any, rival: Any) -> float:
    risk = next(each["data"][0] for each in own["outputs"] if each["name"] == "risk")
    difference = abs(risk - rival["predictions"][0]["risk"])
    if difference > 1e-12:
        raise SystemExit(f"the services disagree by {difference}")
    return difference


def measure(folder: Path) -> dict[str, Any]:
    """Return all figures."""
    model, tracking = trained(folder)
    row = one_row(model, folder / "registry")
    body = bodies(row)
    infer, invoke = "/v2/models/lnrisk/infer", "/invocations"
    serve = [sys.executable, "-m", "lnrisk", "serve", str(folder / "exported")]
    mlflow = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/lnrisk/1"]
    mlflow += ["--env-manager", "local", "--workers", "1"]
    ENVIRONMENT["MLFLOW_TRACKING_URI"] = tracking
    found: dict[str, Any] = {"columns": len(model.columns), "inputs": len(row)}
    with running(serve, infer, body["lnrisk"]) as own:
        answer = _post(own.address + infer, body["lnrisk"])
        found["cold_start"] = own.cold_start
        for clients in CLIENTS:
            found["columns", clients] = load(own, infer, body["lnrisk"], clients)
            found["patient", clients] = load(own, "/v1/risk", body["patient"], clients)
        found["mebibytes"] = own.mebibytes()
    with running([*serve, "--audit", str(folder / "audit")], infer, body["lnrisk"]) as audited:
        for clients in CLIENTS:
            found["audited", clients] = load(audited, infer, body["lnrisk"], clients)
    with running(mlflow, invoke, body["mlflow"]) as rival:
        found["difference"] = _same(answer, _post(rival.address + invoke, body["mlflow"]))
        found["rival_cold_start"] = rival.cold_start
        for clients in CLIENTS:
            found["rival", clients] = load(rival, invoke, body["mlflow"], clients)
        found["rival_mebibytes"] = rival.mebibytes()
    return found


ROWS = (
    ("lnrisk, a row of features (V2)", "columns"),
    ("the same with an audit log", "audited"),
    ("mlflow models serve, the same row", "rival"),
    ("lnrisk, a patient's tables (/v1/risk)", "patient"),
)


def page(found: dict[str, Any]) -> str:
    """Return the figures as a part of the page."""
    rows = [
        (
            said,
            str(clients),
            digits(found[name, clients].per_second),
            digits(found[name, clients].median_ms),
            digits(found[name, clients].p99_ms),
            digits(found[name, clients].processor_ms),
        )
        for said, name in ROWS
        for clients in CLIENTS
    ]
    header = ("service", "clients", "requests/s", "median ms", "99th percentile ms", "CPU ms each")
    times = {n: found["columns", n].per_second / found["rival", n].per_second for n in CLIENTS}
    slowest = found["columns", CLIENTS[-1]].p99_ms
    checks = (
        (min(times.values()) >= TARGETS["times"], "at least 10 x the requests/s of MLflow",
         " and ".join(f"{times[n]:.1f} x at {n}" for n in CLIENTS)),
        (slowest < TARGETS["p99_ms"], "99th percentile under 10 ms at 8 clients",
         f"{slowest:.1f} ms"),
        (found["cold_start"] < TARGETS["cold_start"], "first answer under 2 s after the start",
         f"{found['cold_start']:.2f} s; MLflow {found['rival_cold_start']:.2f} s"),
        (found["mebibytes"] < TARGETS["mebibytes"], "peak memory under 150 MiB",
         f"{found['mebibytes']:.0f} MiB; MLflow {found['rival_mebibytes']:.0f} MiB"),
    )  # fmt: skip
    lines = [f"- {said}: {value}, **{'met' if met else 'missed'}**" for met, said, value in checks]
    others = max(each.others for each in found.values() if isinstance(each, Load))
    about = (
        f"Synthetic data, `python bench/serving.py`; {os.cpu_count()} cores. Each figure is that "
        f"of {SECONDS} s of wrk, the calmest of up to {TURNS} turns; other work took at most "
        f"{others:.2f} cores meanwhile."
    )
    same = (
        f"Both services give the same risk (difference {found['difference']:.0e}) by a model with "
        f"{found['columns']} columns and {REFITS} refits, from {found['inputs']} inputs."
    )
    return "\n\n".join((about, table(header, rows), same, "\n".join(lines)))


def main() -> None:
    """Print the figures, and write them to the page with ``--out``."""
    with tempfile.TemporaryDirectory() as folder:
        text = page(measure(Path(folder)))
    print(text)
    if "--out" in sys.argv[1:]:
        replace(PERFORMANCE, "serving", text)


if __name__ == "__main__":
    main()
