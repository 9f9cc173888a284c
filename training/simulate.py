"""A simulated registry of lupus nephritis, with the truth that no registry has.

Assumes the world that ``simulator/parameters.toml`` describes: each figure there names its source
or is called an assumption. What it shows says how the software works, nothing about real people.
"""

import json
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import __version__
from ..features.days import NEVER, as_dates
from ..features.files import table_as_csv
from .simulator.adherence import adherence_table
from .simulator.biopsies import biopsies_table
from .simulator.courses import Courses, draw_courses
from .simulator.draws import Draws
from .simulator.ends import with_ends
from .simulator.measurements import measurements_table
from .simulator.patients import Parameters, Patients, draw_patients, patients_table
from .simulator.replay import true_risk
from .simulator.treatments import treatments_table
from .simulator.visits import draw_visits
from .simulator.world import World

__all__ = ["Simulation", "load_parameters", "simulate", "write"]

FAILING_FALL = 0.25
WEEK_12 = 84


@dataclass(frozen=True)
class Simulation:
    """A simulated registry.

    Parameters
    ----------
    tables : dict of str to DataFrame
        ``patients``, ``measurements``, ``treatments``, ``biopsies``, ``adherence`` and ``events``
        with the columns of docs/registry.md; dates as datetime64, values in each centre's units.
    truth : DataFrame
        One row per patient, see `simulate`.
    patients, seed : int
    """

    tables: dict[str, pd.DataFrame] = field(repr=False)
    truth: pd.DataFrame = field(repr=False)
    patients: int
    seed: int


def load_parameters(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the parameters of ``simulator/parameters.toml``, with some changed.

    Parameters
    ----------
    changes : mapping, optional
        Nested as the file; a mapping changes the entries it names, anything else replaces.

    Raises
    ------
    KeyError
        When a change names what the file does not have.

    Examples
    --------
    >>> load_parameters({"person": {"female": 0.5}})["person"]["female"]
    0.5
    """
    path = Path(__file__).with_name("simulator") / "parameters.toml"
    return _merged(tomllib.loads(path.read_text(encoding="utf-8")), changes or {}, "")


def _merged(defaults: dict[str, Any], changes: Mapping[str, Any], at: str) -> dict[str, Any]:
    for name, value in changes.items():
        if name not in defaults:
            accepted = ", ".join(defaults)
            raise KeyError(f"no simulation parameter {at + name!r}; accepted here: {accepted}.")
        nested = isinstance(value, Mapping) and isinstance(defaults[name], dict)
        defaults[name] = _merged(defaults[name], value, f"{at}{name}.") if nested else value
    return defaults


def _events_table(patients: Patients, courses: Courses) -> pd.DataFrame:
    blocks = []
    for event, day in (
        ("last_contact", courses.last_day),
        ("death", courses.death),
        ("kidney_failure", courses.kidney_failure),
    ):
        who = np.flatnonzero(day < NEVER)
        date = as_dates(patients.index_day[who] + day[who])
        rows = {"patient_id": patients.identifiers[who], "date": date, "event": event}
        blocks.append(pd.DataFrame(rows))
    events = pd.concat(blocks, ignore_index=True)
    return events.sort_values(["patient_id", "date", "event"]).reset_index(drop=True)


def _truth(world: World) -> pd.DataFrame:
    patients, courses = world.patients, world.courses
    everyone = np.arange(len(patients.identifiers))
    week_12 = np.full(len(everyone), WEEK_12)
    falls = courses.month_6_fall()[:, :2]
    adhered, adequate = courses.adherent[:, :2], courses.adequate[:, :2]
    columns: dict[str, Any] = {
        "patient_id": patients.identifiers,
        "index_date": as_dates(patients.index_day),
        "frailty": patients.frailty,
        "activity": patients.activity,
        "chronicity": patients.chronicity,
        "upcr": np.exp(patients.log_upcr),
        "egfr": np.exp(patients.log_egfr),
        "egfr_decline": courses.decline,
        "upcr_week_12": np.exp(courses.lasting_log_upcr(world.parameters, everyone, week_12)),
        "egfr_week_12": np.exp(courses.log_egfr(world.parameters, patients, everyone, week_12)),
    }
    for number in (1, 2):
        columns |= {
            f"regimen_{number}": courses.regimen[:, number - 1],
            f"responsiveness_{number}": courses.responsiveness[:, number - 1],
            f"share_taken_{number}": courses.share[:, number - 1],
            f"adherent_{number}": adhered[:, number - 1],
            f"adequate_{number}": adequate[:, number - 1],
            f"fall_{number}": falls[:, number - 1],
        }
    failing = (falls < FAILING_FALL) & adhered & adequate
    given = courses.start[:, 1] < NEVER
    return pd.DataFrame(
        columns | {"second_given": given, "would_be_refractory": failing.all(axis=1)}
    )


def simulate(
    patients: int,
    seed: int,
    parameters: Mapping[str, Any] | None = None,
    *,
    landmark_days: int | None = None,
    replays: int = 200,
) -> Simulation:
    """Simulate a registry of patients with lupus nephritis from their first induction.

    Parameters
    ----------
    patients : int
        1 or more.
    seed : int
        0 or more; the same seed gives the same registry.
    parameters : mapping, optional
        Changes to ``simulator/parameters.toml``, see `load_parameters`.
    landmark_days : int, optional
        Replay each patient's future from this day after the index date, and add the columns of
        `lnrisk.training.simulator.replay.true_risk` to the truth. The registry stays the same.
    replays : int, default=200
        Futures per patient.

    Returns
    -------
    Simulation
        ``truth`` has, per patient:

        - patient_id, index_date: of the first induction.
        - frailty: responsiveness that all regimens share, mean 0, variance 1; low is bad.
        - activity, chronicity: true NIH indices (0-24, 0-12), without reader error.
        - upcr (g/g), egfr (mL/min/1.73 m2): true values at the index date.
        - egfr_decline: loss of ln eGFR per year at a UPCR between 0.5 and 1 g/g.
        - upcr_week_12, egfr_week_12: true values on day 84, fluctuations left out.
        - regimen_1, regimen_2: first regimen, and the second that was or would have been given.
        - responsiveness_1, _2: fall of ln UPCR in the end, at full dose and intake.
        - share_taken_1, _2: share of doses truly taken; adherent_1, _2: the true state behind it.
        - adequate_1, _2: whether the regimen's intended dose is adequate.
        - fall_1, fall_2: true share by which UPCR falls within 6 months of the course, with the
          dose and intake as they are; the second as if it had been given where it was not.
        - second_given: whether the second regimen was started while the patient was followed.
        - true_risk and three columns beside it, where replays are asked for.
        - would_be_refractory: adherent, adequately treated and a true fall below 25 % at month 6
          in both courses, had the second been given.

    Raises
    ------
    ValueError
        When there are no patients to simulate.
    """
    if patients < 1:
        raise ValueError(f"patients is {patients}; expected 1 or more.")
    world = draw_registry(patients, seed, load_parameters(parameters))
    truth = _truth(world)
    if landmark_days is not None:
        truth = truth.assign(**true_risk(world, landmark_days, replays))
    return Simulation(_tables(world), truth, patients, seed)


def draw_registry(patients: int, seed: int, parameters: Parameters) -> World:
    """Draw the world behind a registry, see `simulate`."""
    draws = Draws.of_registry(seed, patients)
    people = draw_patients(draws, parameters)
    courses = draw_courses(draws, people, parameters)
    courses = with_ends(draws, people, courses, parameters)
    return World(
        draws, people, courses, draw_visits(draws, people, courses, parameters), parameters
    )


def _tables(world: World) -> dict[str, pd.DataFrame]:
    draws, people, courses = world.draws, world.patients, world.courses
    unresponsive = courses.month_6_fall()[:, 0] < FAILING_FALL
    return {
        "patients": patients_table(draws, people, world.parameters),
        "measurements": measurements_table(world),
        "treatments": treatments_table(world),
        "biopsies": biopsies_table(draws, people, courses.last_day, unresponsive, world.parameters),
        "adherence": adherence_table(world),
        "events": _events_table(people, courses),
    }


def write(simulation: Simulation, folder: Path | str, format: str = "csv") -> None:
    """Write a simulated registry as a bundle, whole or not at all.

    Parameters
    ----------
    simulation : Simulation
    folder : path
        Absent or empty. Gets one file per table, ``truth.parquet`` and ``registry.json``.
    format : {"csv", "parquet"}

    Raises
    ------
    FileExistsError
        When the folder exists and is not empty.
    ValueError
        When the format is neither.
    """
    folder = Path(folder)
    if format not in ("csv", "parquet"):
        raise ValueError(f"format is {format!r}; expected 'csv' or 'parquet'.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder}: exists and is not an empty folder; name another one.")
    target = folder.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as temporary:
        bundle = Path(temporary) / "bundle"
        bundle.mkdir()
        _write_files(simulation, bundle, format)
        bundle.replace(target)


def _write_files(simulation: Simulation, bundle: Path, format: str) -> None:
    for name, table in simulation.tables.items():
        if format == "csv":
            (bundle / f"{name}.csv").write_text(table_as_csv(table), encoding="utf-8")
        else:
            table.to_parquet(bundle / f"{name}.parquet", index=False)
    simulation.truth.to_parquet(bundle / "truth.parquet", index=False)
    provenance = {
        "synthetic": True,
        "made_by": f"lnrisk simulate {__version__}",
        "patients": simulation.patients,
        "seed": simulation.seed,
    }
    (bundle / "registry.json").write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
