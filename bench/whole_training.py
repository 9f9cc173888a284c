"""How long `lnrisk train` takes with everything that it validates by default, step by step.

One simulated registry of 2,000 patients, nothing left out and nothing reused. It means something
only while nothing else runs.
"""

import os
import time

from lnrisk.model.definition import load_definition
from lnrisk.training.config import TrainingConfig
from lnrisk.training.train import train
from page import PERFORMANCE, replace, table
from true_world import simulated

PATIENTS, SEED, TARGET = 2_000, 500, 600


class Clock:
    """Notes how long each step takes, the time between its report and the next included."""

    def __init__(self) -> None:
        self.now, self.step, self.seconds = time.monotonic(), "", dict[str, float]()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Take a report of the progress."""
        now = time.monotonic()
        name = self.step or step
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self.now
        if step != self.step:
            print(f"{sum(self.seconds.values()):6.0f} s  {step}", flush=True)
        self.now, self.step = now, step


def main() -> None:
    """Print the table and write it to docs/performance.md."""
    registry, clock = simulated(PATIENTS, SEED)[0], Clock()
    run = train(registry, load_definition(), TrainingConfig(), clock, "bench")
    clock("", 1, 1)
    whole = sum(clock.seconds.values())
    rows = [[name, f"{seconds:.0f}"] for name, seconds in clock.seconds.items() if seconds >= 0.5]
    said = (
        f"Synthetic data, `python bench/whole_training.py`: {PATIENTS:,} patients, "
        f"{os.cpu_count()} cores, {run.cohort.classifier} served; {whole:.0f} s in all, "
        f"{TARGET} s allowed."
    )
    text = table(["step", "seconds"], [*rows, ["all", f"{whole:.0f}"]])
    replace(PERFORMANCE, "whole-training", f"{said}\n\n{text}")
    print(said)


if __name__ == "__main__":
    main()
