"""Internal-external validation: each centre predicted by a model that never saw it, then pooled.

Assumes that centres differ as the next one will; the others choose the classifier too, where it is
to be chosen. With few of them, or few outcomes in each, the
prediction interval for a new centre is wide, and that is the finding.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..at_risk import people
from ..choice import Fold, Rows, fit_and_predict, lean
from ..cohort import Cohort
from ..config import TrainingConfig, Validation
from ..curves import calibration_curve
from ..pieces import NOWHERE, Arrays, Pieces
from ..pooling import pool_measure
from ..progress import Step
from .cells import hidden
from .figures import COMPARED, quick_figures
from .subgroups import FEWEST_EITHER

__all__ = ["Centres", "across_centres"]

FEWEST_TO_TRAIN = 10
CURVE_POINTS = 21


@dataclass(frozen=True)
class Centres:
    """Figures by centre and pooled.

    Parameters
    ----------
    rows : DataFrame
        centre, patients, events, measure, estimate, standard_error (on the scale pooled), lower,
        upper, suppressed.
    pooled : DataFrame
        measure, estimate, lower, upper, prediction_lower, prediction_upper, tau_squared, centres.
    calibration : DataFrame
        centre, predicted, observed, of centres with enough outcomes for a curve.
    remarks : tuple of str
    """

    rows: pd.DataFrame
    pooled: pd.DataFrame
    calibration: pd.DataFrame
    remarks: tuple[str, ...]


def across_centres(
    cohort: Cohort,
    centre: npt.NDArray[np.str_],
    config: TrainingConfig,
    step: Step,
    pieces: Pieces = NOWHERE,
) -> Centres:
    """Leave out one centre after the other [1]_ [2]_.

    Parameters
    ----------
    cohort : Cohort
    centre : ndarray of str, shape (n_rows,)
        Empty where not recorded; those patients are always trained on.
    config : TrainingConfig
    step : callable
        Told of the progress.
    pieces : Pieces

    References
    ----------
    .. [1] Takada T, et al. Internal-external cross-validation helped to evaluate the
       generalizability of prediction models in large clustered datasets. J Clin Epidemiol
       2021;137:83-91.
    .. [2] Debray TPA, et al. A framework for meta-analysis of prediction model studies with binary
       and time-to-event outcomes. Stat Methods Med Res 2019;28:2768-2786.
    """
    plan, rows = config.validation, cohort.has_outcome
    primary = rows & cohort.primary
    names = [str(name) for name in np.unique(centre[primary]) if name]
    if len(names) < 2:
        said = "one centre only" if names else "no centre is recorded"
        return Centres(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), (f"{said}.",))
    folds = {name: Fold(rows & (centre != name), primary & (centre == name)) for name in names}
    asked = {name: fold for name, fold in folds.items() if _can_be_asked(cohort, fold, plan)}
    made = pieces.run(
        partial(fit_and_predict, lean(cohort), config.seed),
        {
            f"centre-{cohort.recipe}-{names.index(name)}-{len(names)}": fold
            for name, fold in asked.items()
        },
        "centres",
        step,
        heavy=True,
    )
    found = {
        name: _figures(cohort, fold, arrays, plan.level)
        for (name, fold), arrays in zip(asked.items(), made.values(), strict=True)
    }
    return Centres(
        rows=_rows(cohort, folds, found, plan.smallest_cell),
        pooled=_pooled(found, plan.level),
        calibration=_curves(cohort, asked, made, plan.smallest_cell),
        remarks=_remarks(folds, asked, plan.smallest_cell),
    )


def _can_be_asked(cohort: Cohort, fold: Fold, plan: Validation) -> bool:
    patients, events = _people(cohort, fold.test)
    trained, cases = _people(cohort, fold.train & cohort.primary)
    enough = min(cases, trained - cases) >= FEWEST_TO_TRAIN
    return bool(enough and patients >= plan.smallest_cell and min(events, patients - events) >= 2)


def _people(cohort: Cohort, rows: Rows) -> tuple[int, int]:
    return people(cohort.y[rows], cohort.possible[rows])


def _figures(cohort: Cohort, fold: Fold, arrays: Arrays, level: float) -> pd.DataFrame:
    return quick_figures(
        cohort.y[fold.test],
        arrays["risk"],
        cohort.weights.weight[fold.test],
        cohort.patient_id[fold.test].astype(str),
        level,
    )


def _rows(
    cohort: Cohort, folds: dict[str, Fold], found: dict[str, pd.DataFrame], smallest: int
) -> pd.DataFrame:
    counted = np.array([_people(cohort, fold.test) for fold in folds.values()])
    patients, events = counted.T
    few = hidden(patients, smallest)
    few_events = few | hidden(events, smallest)
    tables = []
    for position, name in enumerate(folds):
        number, cases = patients[position], events[position]
        table = _as_pooled(found.get(name, pd.DataFrame({"measure": COMPARED})))
        if number < smallest or min(cases, number - cases) < FEWEST_EITHER:
            table = table[["measure"]].assign(
                estimate=np.nan, standard_error=np.nan, lower=np.nan, upper=np.nan
            )
        tables.append(
            table.assign(
                centre=name,
                patients=np.nan if few[position] else float(number),
                events=np.nan if few_events[position] else float(cases),
                suppressed=bool(few[position] or few_events[position]),
            )
        )
    columns = ["centre", "patients", "events", "measure", "estimate", "standard_error"]
    return pd.concat(tables, ignore_index=True)[[*columns, "lower", "upper", "suppressed"]]


def _as_pooled(table: pd.DataFrame) -> pd.DataFrame:
    """Return the figures with the standard error of AUROC on the log-odds scale."""
    if "standard_error" not in table:
        return table
    area = table["estimate"].where(table["measure"] == "auroc")
    with np.errstate(divide="ignore"):
        logit_error = table["standard_error"] / (area * (1 - area))
    return table.assign(standard_error=logit_error.where(area.notna(), table["standard_error"]))


def _pooled(found: dict[str, pd.DataFrame], level: float) -> pd.DataFrame:
    pooled = []
    for measure in COMPARED:
        rows = [table.set_index("measure").loc[measure] for table in found.values()]
        estimates = np.array([row["estimate"] for row in rows], dtype=np.float64)
        errors = np.array([row["standard_error"] for row in rows], dtype=np.float64)
        known = np.isfinite(estimates) & (errors > 0)
        if known.any():
            one = pool_measure(measure, estimates[known], errors[known], level)
            pooled.append({"measure": measure, **vars(one)})
    return pd.DataFrame(pooled)


def _curves(
    cohort: Cohort, asked: dict[str, Fold], made: dict[str, Arrays], smallest: int
) -> pd.DataFrame:
    tables = [pd.DataFrame({"centre": [], "predicted": [], "observed": []})]
    for (name, fold), arrays in zip(asked.items(), made.values(), strict=True):
        patients, events = _people(cohort, fold.test)
        if min(events, patients - events) >= smallest:
            curve = calibration_curve(
                cohort.y[fold.test],
                arrays["risk"],
                cohort.weights.weight[fold.test],
                points=CURVE_POINTS,
            )
            tables.append(curve.assign(centre=name))
    return pd.concat(tables[1:] or tables, ignore_index=True)


def _remarks(folds: dict[str, Fold], asked: dict[str, Fold], smallest: int) -> tuple[str, ...]:
    left_out = len(folds) - len(asked)
    if not left_out:
        return ()
    return (
        f"{left_out} of {len(folds)} centres are not pooled: fewer than {smallest} patients or "
        "than two with, or without, the outcome there, or too few elsewhere to train on.",
    )
