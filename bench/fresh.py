"""Run a file of this folder in a fresh Python process and read the JSON that it prints.

The caller stays small: a child's peak memory on Linux is never below its parent's at the fork.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

BLAS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
HERE = Path(__file__).parent


def run(file: str, *arguments: object, **environment: str) -> Any:
    """Return what ``file`` prints, with BLAS on one thread and all else at its default."""
    command = [sys.executable, "-W", "ignore", str(HERE / file), *map(str, arguments)]
    variables = {**os.environ, **BLAS, **environment}
    done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{file} {' '.join(map(str, arguments))} failed ({done.returncode})")
    return json.loads(done.stdout)
