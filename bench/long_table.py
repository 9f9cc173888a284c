"""A synthetic long table: 1 + Poisson(7) distinct days per patient and analyte, in random order.

Assumes calendar days since 1970 and lognormal values, as a registry holds them; every series has at
least one row and no day twice, so neither empty series nor ties are timed.
"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ANALYTES = 4
ROW_BYTES = 4 + 1 + 4 + 8  # patient int32, analyte int8, day int32, value float64
FIRST_DAY, LAST_DAY = 14_000, 18_000  # of which a patient's follow-up starts on one
LONGEST_GAP = 90


def long_table(patients: int) -> pa.Table:
    """Return the table of so many patients; the same number gives the same table."""
    random = np.random.default_rng(patients)
    rows = 1 + random.poisson(7, patients * ANALYTES)
    series = np.repeat(np.arange(patients * ANALYTES, dtype=np.int32), rows)
    elapsed = np.cumsum(random.integers(1, LONGEST_GAP + 1, len(series), dtype=np.int32), dtype=int)
    elapsed -= np.repeat(elapsed[np.cumsum(rows) - rows], rows)
    starts = random.integers(FIRST_DAY, LAST_DAY, patients)
    day = (starts[series // ANALYTES] + elapsed).astype(np.int32)
    order = random.permutation(len(series))
    series = series[order]
    return pa.table(
        {
            "patient": series // ANALYTES,
            "analyte": (series % ANALYTES).astype(np.int8),
            "day": day[order],
            "value": random.lognormal(0.0, 1.0, len(series)),
        }
    )


def main() -> None:
    """Write the table of ``argv[1]`` patients to ``argv[2]``; print its number of rows."""
    table = long_table(int(sys.argv[1]))
    pq.write_table(table, sys.argv[2])
    print(table.num_rows)


if __name__ == "__main__":
    main()
