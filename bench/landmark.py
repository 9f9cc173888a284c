"""Features at a landmark: seconds and growth, for the record until a target is set."""

import time

from lnrisk.features.pipeline import features_at, index_days
from tiled import tiled

SIZES = (10_000, 100_000)


def main() -> None:
    """Print seconds by size."""
    for patients in SIZES:
        registry = tiled(patients)
        begin = time.perf_counter()
        features_at(registry, index_days(registry), 84)
        print(f"  {patients:>8} patients: {time.perf_counter() - begin:6.2f} s")


if __name__ == "__main__":
    main()
