"""Plain summaries and empirical Bayes in turns: ``empirical_bayes_worker.py PATIENTS ORDER TURNS``.

The first call, on a small table, compiles and is not timed.
"""

import json
import resource
import sys
import time

import numpy as np
from line_world import ANALYTES, GROUPS, KNOT, LineWorld, line_world
from lnrisk.features.posterior import posterior
from lnrisk.features.summaries import summarise, summarise_with_statistics
from lnrisk.features.trajectory_fit import fit_trajectory

SMALL = 60_000  # patients of the first call: enough for every pass to be the compiled one


def _plain(world: LineWorld) -> dict[str, float]:
    begin = time.process_time()
    long = world.patient, world.analyte, world.day, world.value
    summarise(*long, len(world.given), ANALYTES)
    return {"plain": time.process_time() - begin}


def _empirical_bayes(world: LineWorld) -> dict[str, float]:
    times = [time.process_time()]
    long = world.patient, world.analyte, world.day, world.value, world.side
    knots, size = np.full(ANALYTES, KNOT), (len(world.given), ANALYTES)
    _, sums = summarise_with_statistics(*long, knots, *size)
    times.append(time.process_time())
    models = [
        fit_trajectory("analyte", sums[:, analyte], world.given, GROUPS, KNOT)
        for analyte in range(ANALYTES)
    ]
    times.append(time.process_time())
    known = [
        posterior(model, sums[:, analyte], world.given, world.month)
        for analyte, model in enumerate(models)
    ]
    times.append(time.process_time())
    assert all(np.isfinite(one.slope).all() for one in known)
    summed, fit, after = np.diff(times)
    return {"whole": times[-1] - times[0], "summed": summed, "fit": fit, "posterior": after}


def main() -> None:
    """Print seconds by part and turn, rows and the peak memory as JSON."""
    patients, order, turns = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    _plain(line_world(SMALL, order))
    _empirical_bayes(line_world(SMALL, order))
    world, figures = line_world(patients, order), {}
    for _ in range(turns):
        for name, seconds in (_plain(world) | _empirical_bayes(world)).items():
            figures.setdefault(name, []).append(float(seconds))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak *= 1 if sys.platform == "darwin" else 1024
    print(json.dumps({**figures, "rows": len(world.value), "peak_bytes": peak}))


if __name__ == "__main__":
    main()
