"""One analyte by lnrisk and by statsmodels MixedLM: seconds, and how far slopes differ, as JSON."""

import json
import time
import warnings

import numpy as np
from line_world import ANALYTES, GROUPS, KNOT, line_world
from lnrisk.features.posterior import posterior
from lnrisk.features.summaries import DAYS_PER_MONTH, trajectory_statistics
from lnrisk.features.trajectory_fit import fit_trajectory
from statsmodels.regression.mixed_linear_model import MixedLM

PATIENTS = 2_000


def main() -> None:
    """Fit both to the first analyte."""
    world = line_world(PATIENTS, "registry")
    first = world.analyte == 0
    patient, value = world.patient[first], world.value[first]
    month = np.maximum(world.day[first], 0) / DAYS_PER_MONTH
    zero, knots = np.zeros(len(value), dtype=int), np.full(ANALYTES, KNOT)
    sums = trajectory_statistics(patient, zero, month, value, zero, knots, PATIENTS, 1)[:, 0]
    fit_trajectory("analyte", sums, world.given, GROUPS, KNOT)
    begin = time.perf_counter()
    model = fit_trajectory("analyte", sums, world.given, GROUPS, KNOT)
    found = posterior(model, sums, world.given, world.month)
    lnrisk = time.perf_counter() - begin

    curve = np.column_stack([np.ones(len(month)), month, np.maximum(month - KNOT, 0.0)])
    groups = np.column_stack([np.ones(PATIENTS), world.given])[patient]
    design = (groups[:, :, None] * curve[:, None, :]).reshape(len(month), -1)
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = MixedLM(value, design, groups=patient, exog_re=curve[:, :2]).fit(reml=False)
        effects = oracle.random_effects
    mixedlm = time.perf_counter() - begin
    _, slope, bend = model.curve(world.given)
    own = np.array([effects[i].iloc[1] for i in range(PATIENTS)])
    difference = np.abs(found.slope - (slope + bend + own)).max()
    figures = {"patients": PATIENTS, "lnrisk": lnrisk, "mixedlm": mixedlm}
    print(json.dumps({**figures, "difference": float(difference)}))


if __name__ == "__main__":
    main()
