"""Results with every section filled, simulated from a known risk: plausible, and nobody's."""

from functools import cache

from example_explanation import explanation_sections
from example_measures import measure_sections
from example_patients import patient_sections
from example_robustness import robustness_sections
from example_world import World
from lnrisk.training.report.page import render_report


@cache
def full_results(seed=4):
    """Return results of the schema lnrisk.results/2 with every section filled."""
    world = World(seed)
    return {
        "schema": "lnrisk.results/2",
        "lnrisk_version": "0.2.0",
        "created_on": "2026-11-25",
        "synthetic": True,
        **patient_sections(world),
        **measure_sections(world, seed),
        **robustness_sections(world),
        **explanation_sections(),
    }


ONLY_WHAT_MUST_BE = ("schema", "lnrisk_version", "created_on", "synthetic", "data", "task")


def bare_results():
    """Return results in which every section that may be left out is."""
    return {name: full_results()[name] for name in ONLY_WHAT_MUST_BE}


@cache
def full_page():
    return render_report(full_results())


@cache
def bare_page():
    return render_report(bare_results())
