"""Run every benchmark, one file per promise, and say on what machine."""

import os
import platform

import label

import features


def main() -> None:
    """Print all figures."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, simulated patients")
    for bench in (label, features):
        print((bench.__doc__ or "").strip())
        bench.main()


if __name__ == "__main__":
    main()
