"""One method on one table in a fresh process: ``worker.py METHOD PARQUET WARM_UP [RESULT]``.

The first call is on the small warm-up table and is timed apart: it compiles and starts threads.
With RESULT, the columns are also written there as npz.
"""

import json
import os
import resource
import sys
import time

import numpy as np
from methods import METHODS, Method


def _timed(method: Method, path: str) -> tuple[object, dict[str, float]]:
    table = method.load(path)
    before, begin = os.times(), time.perf_counter()
    result = method.compute(table)
    seconds, after = time.perf_counter() - begin, os.times()
    own = after.user + after.system - before.user - before.system
    children = after.children_user + after.children_system
    children -= before.children_user + before.children_system
    return result, {"seconds": seconds, "cpu": own + children}


def _peak_bytes() -> int:
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def main() -> None:
    """Print the figures as JSON."""
    name, path, warm_up, *result_path = sys.argv[1:]
    method = METHODS[name]
    first_call = 0.0 if method.once else _timed(method, warm_up)[1]["seconds"]
    result, figures = _timed(method, path)
    print(json.dumps({**figures, "first_call": first_call, "peak_bytes": _peak_bytes()}))
    if result_path and method.dense:
        dense = method.dense(result)
        np.savez(result_path[0], **{column: dense[column] for column in method.checked})


if __name__ == "__main__":
    main()
