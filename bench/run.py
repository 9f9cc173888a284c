"""Run every benchmark, one file per promise, each in a fresh process; say on what machine.

Arguments go to those that write a part of the page: ``run.py --out``.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

BENCHES = ("label", "landmark", "serving", "features", "empirical_bayes")
WRITING = ("serving", "features", "empirical_bayes")


def main() -> None:
    """Print all figures; stop at the first benchmark that fails."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, simulated patients")
    for name in BENCHES:
        print(f"\n## {name}\n", flush=True)
        arguments = sys.argv[1:] if name in WRITING else []
        subprocess.run(
            [sys.executable, Path(__file__).with_name(f"{name}.py"), *arguments], check=True
        )


if __name__ == "__main__":
    main()
