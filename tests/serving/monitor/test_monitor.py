"""Monitor: what a log and a registry say about a model in use, and when they say too little."""

import datetime
import json

import generated
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from generated import Patient
from lnrisk.__main__ import main
from lnrisk.features.registry import Registry
from lnrisk.model.support import support_of
from lnrisk.serving.audit.archive import Archive
from lnrisk.serving.audit.chain import AuditError
from lnrisk.serving.audit.log import AuditLog, segments
from lnrisk.serving.audit.pseudonyms import Pseudonyms
from lnrisk.serving.monitor.report import as_json, as_metrics, as_page
from lnrisk.serving.monitor.run import monitor
from served import small_model

RANDOM = np.random.default_rng(7)
KEY = Pseudonyms(bytes(range(32)))
N = 240


def with_support():
    model = small_model()
    values = pd.DataFrame(
        {term.name: RANDOM.normal(term.mean, term.scale, 2000) for term in model.terms}
    )
    values.iloc[:200, 3] = np.nan
    support = support_of(values, RANDOM.beta(2, 6, 2000), np.ones(2000), np.full(2000, 84))
    return small_model(training={**model.training, "support": support})


MODEL = with_support()


def asked_on(number):
    return generated.DAY_0 + datetime.timedelta(days=100 + number % 300)


def assessment(number, subject=True, shift=0.0, missing=0.1, risk=None, **changes):
    terms = {
        term.name: float(RANDOM.normal(term.mean + shift * term.scale, term.scale))
        for term in MODEL.terms
    }
    if RANDOM.random() < missing:
        terms["chronicity_index"] = None
    return {
        "note": "assessment",
        "as_of": asked_on(number).isoformat(),
        "status": "ok",
        "risk": float(RANDOM.beta(2, 6)) if risk is None else risk,
        "lower": 0.1,
        "upper": 0.9,
        "verdict": "not_refractory",
        "terms": terms,
        **({"subject": KEY(f"p{number}")} if subject else {}),
        **changes,
    }


def write(folder, notes, model=MODEL):
    log = AuditLog(folder)
    Archive(folder).keep_model(model)
    log.append({"kind": "start", "model": model.sha256})
    for note in notes:
        log.append(
            {
                "kind": "answer",
                "exchange": "",
                "received": "2026-11-25T12:00:00.000Z",
                "who": "ward-7",
                "request": "r",
                "method": "POST",
                "path": "/v1/risk",
                "scheme": "http",
                "headers": {},
                "status": 200,
                "model": model.sha256,
                "software": "0.1.0",
                "input": {"sha256": "0" * 64, "bytes": 0, "whole": True},
                "answer": {"sha256": "0" * 64, "bytes": 0},
                "complete": True,
                "shown": True,
                "notes": note if isinstance(note, list) else [note],
            }
        )
    log.close()


def find(rows, **wanted):
    (row,) = (row for row in rows if all(row[key] == value for key, value in wanted.items()))
    return row


def test_what_has_not_moved_is_steady(tmp_path):
    write(tmp_path, [assessment(number) for number in range(N)])
    report = monitor(tmp_path)
    assert {each["says"] for each in report["inputs"]} == {"steady"}
    assert find(report["scores"], period="all")["says"] == "steady"
    assert report["outcomes"] is None
    assert report["answers"]["patients"] == N


def test_what_has_moved_is_said(tmp_path):
    write(tmp_path, [assessment(n, shift=0.8, missing=0.6, risk=0.9) for n in range(N)])
    report = monitor(tmp_path)
    upcr = find(report["inputs"], name="log_upcr_last")
    assert upcr["says"] == "moved"
    assert upcr["difference"]["lower"] < 0.8 < upcr["difference"]["upper"]
    assert upcr["index"] > upcr["chance"]
    chronicity = find(report["inputs"], name="chronicity_index")
    assert chronicity["missing"]["lower"] > chronicity["missing_in_training"] + 0.1
    assert find(report["scores"], period="all")["says"] == "moved"


def test_few_patients_are_too_few(tmp_path):
    write(tmp_path, [assessment(number, shift=3) for number in range(20)])
    report = monitor(tmp_path)
    assert all(each["says"].startswith("too little to say") for each in report["inputs"])
    assert all(each["says"].startswith("too little to say") for each in report["scores"])


def test_one_patient_asked_about_every_day_counts_once_a_quarter(tmp_path):
    again = [assessment(1, shift=5) for _ in range(200)]
    write(tmp_path, [assessment(number) for number in range(N)] + again)
    report = monitor(tmp_path)
    assert find(report["inputs"], name="age")["patients"] == N
    assert find(report["inputs"], name="age")["says"] == "steady"


def test_a_model_without_support_is_still_compared_by_its_means(tmp_path):
    plain = small_model()
    write(tmp_path, [assessment(number, shift=1) for number in range(N)], plain)
    report = monitor(tmp_path)
    age = find(report["inputs"], name="age")
    assert age["index"] is None
    assert age["says"] == "moved"
    assert "holds no scores" in find(report["scores"], period="all")["says"]


def registry(events, followed=900):
    """Return patients of whom some fail twice within the horizon."""
    twice = [
        ("mycophenolate_mofetil", 0, 200, "3000", "mg/d", "inefficacy"),
        ("tacrolimus", 200, None, "4", "mg/d", ""),
    ]
    once = [("mycophenolate_mofetil", 0, None, "3000", "mg/d", "")]
    people = [
        Patient(
            birth=-11000,
            sex="female",
            treatments=twice if fails else once,
            measurements=[
                (day, "upcr", "3" if fails or day < 50 else "0.3", "g/g")
                for day in range(-20, followed - 10, 90)
            ],
            adherence=[(0, 199, "pdc", "0.9", ""), (200, min(540, followed), "pdc", "0.9", "")],
            events=[(followed, "last_contact")],
        )
        for fails in events
    ]
    return generated.registry(people)


def identified(registry):
    return [str(each) for each in registry.patient_ids]


def answered(folder, registry, risk):
    write(
        folder,
        [
            assessment(number, risk=each, subject=False) | {"subject": KEY(identifier)}
            for number, (identifier, each) in enumerate(
                zip(identified(registry), risk, strict=True)
            )
        ],
    )


def outcomes(share, followed=900):
    events = RANDOM.random(120) < share
    return registry(events, followed), events


@pytest.mark.parametrize(
    ("risk", "says"), [(0.25, "agrees"), (0.08, "risks too low"), (0.6, "risks too high")]
)
def test_calibration_in_time(tmp_path, risk, says):
    known, events = outcomes(0.25)
    answered(tmp_path, known, np.full(120, risk))
    report = monitor(tmp_path, None, known, KEY)
    whole = find(report["calibration"], period="all")
    assert whole["says"] == says
    assert whole["agreement"]["events"] == events.sum()
    ratio = whole["agreement"]["observed_expected"]["value"]
    assert ratio == pytest.approx(events.mean() / risk)
    quarters = [each["period"] for each in report["calibration"][1:]]
    assert quarters == sorted(quarters)
    assert len(quarters) >= 2


def test_whose_horizon_has_not_passed_does_not_count(tmp_path):
    """Events are known early; counting them before their time would count too many."""
    known, _ = outcomes(0.25, followed=500)
    answered(tmp_path, known, np.full(120, 0.25))
    report = monitor(tmp_path, None, known, KEY)
    assert report["outcomes"]["left_out"]["horizon not yet passed"] == 120
    assert "too little to say" in find(report["calibration"], period="all")["says"]


def test_who_cannot_be_joined_is_counted(tmp_path):
    known, _ = outcomes(0.25)
    names = identified(known)
    notes = [
        assessment(0, subject=False),
        assessment(1) | {"subject": KEY(names[1])},
        assessment(1) | {"subject": KEY(names[1])},
        assessment(2) | {"subject": Pseudonyms(bytes(32))(names[2])},
        assessment(3) | {"subject": KEY("somebody else")},
        assessment(4) | {"subject": KEY(names[4]), "as_of": "1999-01-01"},
    ]
    write(tmp_path, notes)
    report = monitor(tmp_path, None, known, KEY)
    assert report["outcomes"]["patients"] == 1
    assert report["outcomes"]["left_out"] == {
        "without a pseudonym": 1,
        "asked about again": 1,
        "pseudonym of another key": 1,
        "not in the registry": 1,
        "asked on a day that does not fit the registry's index date": 1,
    }


def test_feedback_is_counted(tmp_path):
    notes = [{"note": "feedback", "outcome": "overridden"}, assessment(1)]
    write(tmp_path, notes)
    assert monitor(tmp_path)["feedback"] == {"overridden": 1}


def test_feedback_is_joined_to_what_became_of_the_patients(tmp_path):
    known, events = outcomes(0.25)
    answers = []
    for number, identifier in enumerate(identified(known)):
        assessed = assessment(number, risk=0.25, subject=False) | {"subject": KEY(identifier)}
        back = {"note": "feedback", "card": f"c{number}", "outcome": "accepted"}
        if number % 2:
            back |= {"outcome": "overridden", "reason": "known"}
        answers += [[assessed, {"note": "card", "card": f"c{number}"}], [back]]
    answers.append([{"note": "feedback", "card": "of another log", "outcome": "accepted"}])
    write(tmp_path, answers)
    report = monitor(tmp_path, None, known, KEY)
    accepted, overridden = report["reactions"]
    assert (accepted["cards"], accepted["with_risk"], accepted["known"]) == (61, 60, 60)
    assert (overridden["outcome"], overridden["reason"]) == ("overridden", "known")
    assert overridden["mean_risk"] == pytest.approx(0.25)
    assert (accepted["events"], overridden["events"]) == (events[::2].sum(), events[1::2].sum())
    assert report["feedback"] == {"accepted": 61, "overridden": 60}
    assert "<td>overridden</td><td>known</td><td>60</td>" in as_page(report)
    apart = monitor(tmp_path)["reactions"]
    assert [each["known"] for each in apart] == [0, 0]


def test_the_page_and_the_metrics_say_the_same(tmp_path):
    known, _ = outcomes(0.25)
    answered(tmp_path, known, np.full(120, 0.25))
    report = monitor(tmp_path, None, known, KEY)
    page = as_page(report)
    whole = find(report["calibration"], period="all")
    assert f"{whole['agreement']['observed_expected']['value']:.2f} (" in page
    assert "simulated patients" in page
    assert "http" not in page
    metrics = {(name, step): value for name, value, step in as_metrics(report)}
    ratio = whole["agreement"]["observed_expected"]
    assert metrics["calibration.observed_expected_lower", 0] == ratio["lower"]
    assert all(np.isfinite(value) for value in metrics.values())
    assert json.loads(as_json(report))["model"]["sha256"] == MODEL.sha256
    for identifier in identified(known):
        assert KEY(identifier) not in page + as_json(report)


def test_a_changed_log_is_refused(tmp_path):
    write(tmp_path, [assessment(1)])
    file = segments(tmp_path)[0]
    file.write_bytes(file.read_bytes().replace(b"ward-7", b"ward-8"))
    with pytest.raises(AuditError, match="was changed"):
        monitor(tmp_path)


def test_no_answers(tmp_path):
    write(tmp_path, [])
    with pytest.raises(AuditError, match="there are of: none"):
        monitor(tmp_path)


def run(*arguments):
    return CliRunner().invoke(main, ["monitor", *map(str, arguments)])


def test_the_command(tmp_path):
    write(tmp_path / "audit", [assessment(number) for number in range(60)])
    out = tmp_path / "monitor.html"
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    result = run(tmp_path / "audit", "--out", out, "--tracking-uri", uri)
    assert result.exit_code == 0, result.stderr
    assert "<h1>lnrisk in use" in out.read_text()
    assert "calibration: no registry was given" in result.stderr

    import mlflow

    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("lnrisk-monitor")
    (logged,) = client.search_runs([experiment.experiment_id])
    assert logged.data.metrics["scores.patients"] == 60


def test_a_registry_needs_the_key(tmp_path):
    write(tmp_path / "audit", [assessment(1)])
    result = run(tmp_path / "audit", tmp_path)
    assert result.exit_code == 2
    assert "--pseudonym-key" in result.stderr


def test_the_registry_is_one(tmp_path):
    assert isinstance(registry([True, False]), Registry)
