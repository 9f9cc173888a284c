"""Models made by hand, with straight lines and a column for each missing value."""

from itertools import product

from lnrisk.model.artifact import RiskModel, Term
from lnrisk.model.calibration_map import LogisticMap, VennAbersMap
from lnrisk.model.columns import Column
from lnrisk.model.definition import load_definition
from lnrisk.model.spread import spread_with

HARDLY = {"synthetic": False, "patients": 9, "events": 3, "data": "x", "sha256": ""}


def term(name, mean=0.5, scale=1.7, lowest=-1e3, highest=1e3):
    meaning = name.replace("_", " ")
    return Term(name, meaning, "1", "t", "all", "", mean, scale, lowest, highest)


def columns(terms):
    """A value column for each term, then one for each term's missingness."""
    return (
        *(Column(t.name, "value", False, (), t.mean, t.scale) for t in terms),
        *(Column(t.name, "missing", False, (), 0.0, 1.0) for t in terms),
    )


def linear_model(terms, coefficients, when_missing=0.1, **changes):
    """A sealed model of some terms at day 84, with every pattern of missing values seen."""
    if "missing_patterns" not in changes:
        changes["missing_patterns"] = tuple(map("".join, product("01", repeat=len(terms))))
    missing = [when_missing] * len(terms) if isinstance(when_missing, float) else when_missing
    content = {
        "landmarks": (84,),
        "horizon_days": 548,
        "outcome": "rule",
        "definition": load_definition(),
        "analytes": {"upcr": "log", "egfr": "identity"},
        "trajectories": (),
        "terms": tuple(terms),
        "columns": columns(terms),
        "intercept": -1.5,
        "coefficients": (*coefficients, *missing),
        "calibration": LogisticMap(0.0, 1.0),
        "venn_abers": VennAbersMap((-1.0,), (0.0, 0.2), (0.1, 1.0)),
        "refits": (),
        "spread": spread_with((84,), (0.2,), 365),
        "required_feature": terms[0].name,
        "training": HARDLY,
    }
    return RiskModel(**{**content, **changes}).sealed()
