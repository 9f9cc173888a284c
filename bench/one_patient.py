"""Latency of one patient's ~32 rows, as one request to the service would compute them.

Median and 99th percentile of 1,000 calls in one process, after one first call.
"""

import json
import sys
import time

import numpy as np
import pyarrow.parquet as pq
from lnrisk.features.summaries import summarise
from long_table import ANALYTES

CALLS = 1_000


def main() -> None:
    """Print the figures of the first patient of the table ``argv[1]`` as JSON."""
    rows = pq.read_table(sys.argv[1], filters=[("patient", "==", 0)])
    columns = [np.array(rows[name]) for name in ("patient", "analyte", "day", "value")]
    seconds = []
    summarise(*columns, 1, ANALYTES)
    for _ in range(CALLS):
        begin = time.perf_counter()
        summarise(*columns, 1, ANALYTES)
        seconds.append(time.perf_counter() - begin)
    median, slow = np.quantile(seconds, [0.5, 0.99])
    print(json.dumps({"rows": rows.num_rows, "median": median, "p99": slow}))


if __name__ == "__main__":
    main()
