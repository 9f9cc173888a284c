"""The ledger: which model was live when, and that nothing in it can be changed unseen."""

import datetime

import pytest
from lnrisk.features.errors import LnriskError
from lnrisk.model.ledger import Ledger
from models import linear_model, term

FIRST = linear_model([term("a")], [0.5])
SECOND = linear_model([term("a")], [0.7])


def at(day):
    return datetime.datetime(2026, 1, day, 12, tzinfo=datetime.UTC)


@pytest.fixture
def book(tmp_path):
    book = Ledger(tmp_path / "ledger.jsonl")
    book.enter("promoted", FIRST, "A. B.", at(2), name="lnrisk", evidence={"auroc": 0.8})
    book.enter("retired", FIRST, "A. B.", at(10), name="lnrisk")
    book.enter("promoted", SECOND, "C. D.", at(10), name="lnrisk")
    book.enter("recalibrated", SECOND, "C. D.", at(12), evidence={"site": "x"})
    book.enter("retired", SECOND, "C. D.", at(20), name="lnrisk")
    return book


@pytest.mark.parametrize(
    ("day", "live"),
    [(1, None), (2, FIRST), (9, FIRST), (10, SECOND), (19, SECOND), (20, None), (28, None)],
)
def test_it_answers_which_model_was_live(book, day, live):
    found = book.live("lnrisk", at(day))
    assert (found and found.model) == (live and live.sha256)


def test_the_evidence_is_kept(book):
    assert book.live("lnrisk", at(3)).evidence == {"auroc": 0.8}
    assert book.live("another", at(3)) is None


@pytest.mark.parametrize("line", range(5))
def test_a_changed_or_removed_entry_shows(book, line):
    lines = book.path.read_text().splitlines()
    book.path.write_text("\n".join(lines).replace("A. B.", "Z. Z.", 1) + "\n")
    with pytest.raises(LnriskError, match="entry 1 or one before it was changed"):
        book.entries()
    if line < 4:
        book.path.write_text("\n".join(lines[:line] + lines[line + 1 :]) + "\n")
        with pytest.raises(LnriskError, match=f"entry {line + 1} or one before it was changed"):
            book.entries()


def test_a_torn_line_is_said_and_nothing_is_added(book):
    with book.path.open("a") as file:
        file.write('{"event": "promo')
    with pytest.raises(LnriskError, match="entry 6 cannot be read"):
        book.enter("retired", SECOND, "E. F.", at(25), name="lnrisk")


def test_time_does_not_run_backwards(book):
    with pytest.raises(LnriskError, match="later"):
        book.enter("promoted", FIRST, "E. F.", at(19), name="lnrisk")
