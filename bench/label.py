"""Label of 100,000 patients in under 10 s, cost linear in patients."""

import time

import numpy as np
from lnrisk.model.definition import load_definition
from lnrisk.model.label import label
from tiled import tiled

TARGET_SECONDS = 10.0
SIZES = (10_000, 30_000, 100_000)


def main() -> None:
    """Print seconds by size and the growth exponent."""
    definition, seconds = load_definition(), []
    for patients in SIZES:
        registry = tiled(patients)
        begin = time.perf_counter()
        label(registry, definition)
        seconds.append(time.perf_counter() - begin)
        rows = len(registry.measurements)
        print(f"  {patients:>8} patients, {rows:>9} measurements: {seconds[-1]:6.2f} s")
    exponent = np.polyfit(np.log(SIZES), np.log(seconds), 1)[0]
    verdict = "met" if seconds[-1] < TARGET_SECONDS else "NOT met"
    print(f"  growth exponent {exponent:.2f}; target {TARGET_SECONDS:g} s: {verdict}")


if __name__ == "__main__":
    main()
