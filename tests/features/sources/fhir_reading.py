"""Reading of FHIR resources as tests of several modules ask for it."""

from lnrisk.features.sources.codes import load_codes
from lnrisk.features.sources.fhir import read_fhir
from lnrisk.features.sources.fhir_source import resources_of
from records import RXNORM, bundle, coded, observation, person

CODES = load_codes()
CYC = coded(RXNORM, "3002", "cyclophosphamide")


def read(*resources):
    return read_fhir(resources_of(bundle(*resources)), CODES)


def reasons(imported):
    return {entry.why for entry in imported.report.not_used}


def assumptions(imported):
    return {entry.why for entry in imported.report.assumed}


def treatments(*resources):
    """Return drug, start, end, dose and unit of each treatment."""
    kept = ["drug", "start_date", "end_date", "dose", "dose_unit"]
    table = read(person(), observation("c3", "2022-12-31", 1, "g/L"), *resources)
    return table.tables["treatments"][kept].to_numpy().tolist()
