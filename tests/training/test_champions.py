"""From a registered version to the champion and out again, and what the ledger then says."""

import datetime

import mlflow
import numpy as np
import pytest
from click.testing import CliRunner
from lnrisk.__main__ import main
from lnrisk.features.errors import LnriskError
from lnrisk.model.definition import load_definition
from lnrisk.model.ledger import Ledger
from lnrisk.training import champions, promotion
from lnrisk.training.champions import promote, retire
from lnrisk.training.simulate import simulate, write
from lnrisk.training.tracking import Registered, _log_model, connect, holder
from lnrisk.training.train import fit_model
from registries import CONFIG, quietly, simulated

WEAK = CONFIG.changed(terms=("age",), refits=0)
SAME = CONFIG.changed(refits=0)
LATER = CONFIG.changed(refits=0, horizon_days=600)


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    """Versions 1 (weak), 2 (as usual), 3 (made as 2), 4 (another horizon), none with an alias."""
    folder = tmp_path_factory.mktemp("champions")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    connect(uri)
    mlflow.create_experiment("champions", artifact_location=(folder / "files").as_uri())
    mlflow.set_experiment("champions")
    for config in (WEAK, SAME, SAME.changed(seed=2), LATER):
        model = fit_model(simulated(), load_definition(), config, quietly)
        with mlflow.start_run():
            _log_model(model, Registered("risk"))
    return uri


@pytest.fixture
def champion(uri):
    """Say which version is the champion; nobody is before and after."""
    client = connect(uri)

    def is_champion(version=None):
        if version is not None:
            client.set_registered_model_alias("risk", "champion", version)
        return holder(client, "risk", "champion")

    yield is_champion
    if is_champion() is not None:
        client.delete_registered_model_alias("risk", "champion")


def promoted(version, uri, ledger):
    return promote(
        "risk", version, simulated(), "A. Nephrologist", ledger, quietly, tracking_uri=uri
    )


def end_of_time():
    return datetime.datetime.now(tz=datetime.UTC) + datetime.timedelta(days=1)


def test_the_first_becomes_champion_without_a_comparison(uri, champion, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    found = promoted("2", uri, ledger)
    assert found.promoted
    assert found.comparison is None
    assert champion() == "2"
    (entry,) = Ledger(ledger).entries()
    assert (entry.event, entry.by, entry.model) == (
        "promoted",
        "A. Nephrologist",
        found.model.sha256,
    )
    assert entry.evidence["why"] == "first champion of its name"
    with pytest.raises(LnriskError, match="version 2 of risk is the champion already"):
        promoted("2", uri, ledger)


def test_a_worse_candidate_is_refused_and_nothing_changes(uri, champion, tmp_path):
    champion("2")
    found = promoted("1", uri, tmp_path / "ledger.jsonl")
    assert not found.promoted
    checks = {check.measure: check for check in found.comparison.checks}
    assert not checks["log_loss"].no_worse
    assert not checks["one_minus_auroc"].no_worse
    assert champion() == "2"
    assert not (tmp_path / "ledger.jsonl").exists()


def test_one_that_is_no_worse_takes_the_place_and_the_ledger_says_on_what(uri, champion, tmp_path):
    """Version 2 is made as version 3 is, so that every difference is none."""
    champion("3")
    ledger = tmp_path / "ledger.jsonl"
    found = promoted("2", uri, ledger)
    assert found.promoted
    assert champion() == "2"
    assert all(check.candidate == check.champion for check in found.comparison.checks)
    retired, entered = Ledger(ledger).entries()
    assert (retired.event, retired.evidence["version"]) == ("retired", "3")
    assert entered.evidence["instead_of"] == "3"
    assert entered.evidence["synthetic"] is True
    assert entered.evidence["registry"] == simulated().source.sha256
    measures = [check["measure"] for check in entered.evidence["checks"]]
    assert measures == ["log_loss", "one_minus_auroc", "ici", "slope_off_one"]
    assert Ledger(ledger).live("risk", end_of_time()).model == found.model.sha256


def test_another_question_is_no_competition(uri, champion, tmp_path):
    champion("2")
    with pytest.raises(LnriskError, match="another horizon_days; they do not compete"):
        promoted("4", uri, tmp_path / "ledger.jsonl")
    assert champion() == "2"


def test_miscalibration_alone_is_refused():
    """Ranks patients as the champion does, and is twice as sure."""
    random = np.random.default_rng(0)
    risk = random.uniform(0.05, 0.6, 2_000)
    y = (random.random(2_000) < risk).astype(float)
    odds = 2 * np.log(risk / (1 - risk))
    sure = 1 / (1 + np.exp(-odds))
    checks = promotion._checks(
        y, (sure, risk), np.ones(2_000), np.arange(2_000).astype(str), quietly
    )
    refused = {check.measure for check in checks if not check.no_worse}
    assert refused == {"log_loss", "ici", "slope_off_one"}
    assert not promotion.Comparison(2_000, int(y.sum()), checks).no_worse


def test_what_cannot_be_measured_is_not_no_worse():
    assert not promotion.Check("ici", float("nan"), 0.1, 0.1).no_worse
    assert not promotion.Check("ici", 0.1, 0.1, float("nan")).no_worse


@pytest.mark.parametrize("act", ["promote", "retire"])
def test_a_ledger_that_was_changed_keeps_the_alias_where_it_is(uri, champion, tmp_path, act):
    before = champion("2") if act == "retire" else None
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text('{"event": "promoted"}\n')
    acts = {
        "promote": lambda: promoted("2", uri, ledger),
        "retire": lambda: retire("risk", "me", "why", ledger, tracking_uri=uri),
    }
    with pytest.raises(LnriskError, match="entry 1 cannot be read"):
        acts[act]()
    assert champion() == before


def test_nobody_is_live_after_retirement(uri, champion, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    promoted("2", uri, ledger)
    during = datetime.datetime.now(tz=datetime.UTC)
    retired = retire("risk", "A. Nephrologist", "drift", ledger, tracking_uri=uri)
    assert champion() is None
    book = Ledger(ledger)
    assert book.live("risk", during).model == retired.sha256
    assert book.live("risk", end_of_time()) is None
    assert book.entries()[-1].evidence["why"] == "drift"
    with pytest.raises(LnriskError, match="risk has no champion"):
        retire("risk", "A. Nephrologist", "drift", ledger, tracking_uri=uri)


def test_a_server_that_cannot_say_who_has_the_alias_makes_nobody_first(uri, tmp_path, monkeypatch):
    def down(*_):
        raise mlflow.exceptions.MlflowException("database is locked")

    client = connect(uri)
    monkeypatch.setattr(client, "get_model_version_by_alias", down)
    monkeypatch.setattr(champions, "connect", lambda _: client)
    with pytest.raises(LnriskError, match=r"MLflow cannot say .*database is locked"):
        promoted("2", uri, tmp_path / "ledger.jsonl")
    assert not (tmp_path / "ledger.jsonl").exists()


def test_the_commands(uri, champion, tmp_path):
    write(simulate(20, 1), tmp_path / "registry", "csv")
    there = ("--ledger", str(tmp_path / "ledger.jsonl"), "--tracking-uri", uri)

    def lnrisk(*arguments):
        return CliRunner().invoke(main, arguments)

    registry = str(tmp_path / "registry")
    result = lnrisk("promote", "models:/risk@champion", registry, "--by", "me", *there)
    assert result.exit_code == 2
    assert "expected models:/NAME/VERSION" in result.output
    result = lnrisk("promote", "models:/risk/9", registry, "--by", "me", *there)
    assert result.exit_code == 1
    assert "MLflow has no such model" in result.output
    result = lnrisk("promote", "models:/risk/2", registry, "--by", "me", *there)
    assert result.exit_code == 0, result.output
    assert "version 2 of risk is the champion; entered in" in result.output
    today = str(datetime.datetime.now(tz=datetime.UTC).date())
    book = there[1]
    result = lnrisk("ledger", book, "--name", "risk", "--on", today)
    assert "by me" in result.output
    assert "first champion of its name" in result.output
    assert (
        "no model of risk was live"
        in lnrisk("ledger", book, "--name", "risk", "--on", "2020-01-01").output
    )
    result = lnrisk("retire", "risk", "--by", "me", "--reason", "drift", *there)
    assert result.exit_code == 0, result.output
    assert "no longer the champion of risk" in result.output
    other = lnrisk("ledger", book, "--name", "rsik", "--on", today)
    assert other.exit_code == 2
    assert "'rsik' was ever entered in ledger.jsonl; it knows risk" in other.output
    lines = lnrisk("ledger", book).output.splitlines()
    assert [line.split()[2] for line in lines] == ["promoted", "retired"]


def test_the_command_refuses_a_worse_one_with_exit_code_1(uri, champion, tmp_path, monkeypatch):
    champion("2")
    worse = promotion.Comparison(100, 20, (promotion.Check("ici", 0.2, 0.1, 0.01),))
    monkeypatch.setattr(champions, "compare", lambda *_: worse)
    write(simulate(20, 1), tmp_path / "registry", "csv")
    result = CliRunner().invoke(
        main,
        [
            *("promote", "models:/risk/1", str(tmp_path / "registry"), "--by", "me"),
            *("--ledger", str(tmp_path / "ledger.jsonl"), "--tracking-uri", uri),
        ],
    )
    assert result.exit_code == 1
    assert "version 1 of risk is worse than the champion; nothing was changed" in result.output
    assert "ici" in result.output
    assert champion() == "2"
