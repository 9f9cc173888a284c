"""What was known on a day, against records that are filtered by hand before they are read."""

import datetime
from dataclasses import replace

import bundles
import generated
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lnrisk.features.asof import as_of_days, known_on
from lnrisk.features.days import NEVER, day_of
from lnrisk.features.tables import TABLES

DAY_0 = day_of(generated.DAY_0)
few = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def known_by_hand(person, cut):
    def as_known(row):
        drug, start, end, dose, unit, _ = row
        open_then = end is None or end > cut
        return (drug, start, None, dose, unit, "") if open_then else row

    return replace(
        person,
        treatments=[as_known(row) for row in person.treatments if row[1] <= cut],
        measurements=[row for row in person.measurements if row[0] <= cut],
        adherence=[row for row in person.adherence if row[1] <= cut],
        biopsies=[row for row in person.biopsies if row[0] <= cut],
        events=[row for row in person.events if row[0] <= cut],
    )


def contents(registry):
    rows = {
        name: registry.table(name).drop(columns="row").to_numpy(dtype=object) for name in TABLES
    }
    return {name: sorted(tuple(map(str, row)) for row in table) for name, table in rows.items()}


@few
@given(generated.cohorts, st.data())
def test_later_records_do_not_exist_for_each_patient_on_the_patients_own_day(cohort, data):
    cuts = data.draw(st.lists(generated.DAYS, min_size=len(cohort), max_size=len(cohort)))
    found = known_on(generated.registry(cohort), np.array(cuts) + DAY_0)
    by_hand = [known_by_hand(person, cut) for person, cut in zip(cohort, cuts, strict=True)]
    assert contents(found) == contents(generated.registry(by_hand))


def test_what_is_known_is_the_registry_itself_where_nothing_is_hidden():
    registry = bundles.registry()
    known = known_on(registry, datetime.date(2100, 1, 1))
    assert known_on(known, datetime.date(2100, 1, 1)) is known
    assert contents(known) == contents(registry)


@few
@given(generated.cohorts, st.integers(-100, 800))
def test_a_date_is_that_day_for_everybody(cohort, cut):
    registry = generated.registry(cohort)
    date = generated.DAY_0 + datetime.timedelta(days=cut)
    days = np.full(len(cohort), DAY_0 + cut)
    assert contents(known_on(registry, date)) == contents(known_on(registry, days))


@few
@given(generated.cohorts, st.integers(-100, 800), st.integers(0, 800))
def test_looking_back_later_at_the_same_day_finds_the_same(cohort, cut, more):
    registry = generated.registry(cohort)
    early = np.full(len(cohort), DAY_0 + cut)
    assert contents(known_on(known_on(registry, early + more), early)) == contents(
        known_on(registry, early)
    )


@pytest.fixture(scope="module")
def registry():
    return bundles.registry()


def test_without_a_day_nothing_is_hidden(registry):
    assert known_on(registry, None) is registry
    assert as_of_days(registry, None).tolist() == [NEVER, NEVER]


def test_one_patient_may_be_seen_whole_and_another_on_a_day(registry):
    seen = known_on(registry, np.array([NEVER, day_of(datetime.date(2019, 12, 31))]))
    assert contents(seen) == {
        name: [row for row in rows if row[0] == "anna" or name == "patients"]
        for name, rows in contents(registry).items()
    }


@pytest.mark.parametrize(
    ("date", "end", "reason"),
    [
        (datetime.date(2020, 6, 29), "NaT", "nan"),
        (datetime.date(2020, 6, 30), "2020-06-30 00:00:00", "inefficacy"),
    ],
)
def test_an_end_and_its_reason_are_known_on_the_day(registry, date, end, reason):
    anna = contents(known_on(registry, date))["treatments"][0]
    assert (anna[3], anna[6]) == (end, reason)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("measurements", "date"),
        ("biopsies", "date"),
        ("events", "date"),
        ("outcomes", "date"),
        ("adherence", "end_date"),
        ("treatments", "start_date"),
    ],
)
def test_a_record_is_known_on_its_own_day_and_not_the_day_before(registry, name, column):
    whole = registry.table(name)
    for date in whole[column].dt.date.unique():
        for before in (0, 1):
            seen = known_on(registry, date - datetime.timedelta(days=before)).table(name)
            expected = whole[whole[column].dt.date <= date - datetime.timedelta(days=before)]
            assert seen["row"].tolist() == expected["row"].tolist()


def test_patients_are_known_from_the_start(registry):
    seen = known_on(registry, datetime.date(1990, 1, 1))
    assert seen.patients.equals(registry.patients)
    assert all(len(seen.table(name)) == 0 for name in TABLES if name != "patients")
