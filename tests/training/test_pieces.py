"""Finished pieces are kept and taken up, broken ones made again."""

import numpy as np
import pytest
from lnrisk.model.definition import load_definition
from lnrisk.training.config import TrainingConfig
from lnrisk.training.pieces import NOWHERE, Pieces, kept_for, run_key
from registries import quietly, simulated


class Worker:
    def __init__(self, fails_at=None):
        self.made = []
        self.fails_at = fails_at

    def __call__(self, item):
        if item == self.fails_at:
            raise KeyboardInterrupt
        self.made.append(item)
        return {"square": np.array([item**2]), "said": np.array([f"did {item}"])}


ITEMS = {f"piece-{item}": item for item in range(5)}


def squares(found):
    return [int(arrays["square"][0]) for arrays in found.values()]


def test_without_a_folder_everything_is_made_and_nothing_kept(tmp_path):
    worker = Worker()
    assert squares(NOWHERE.run(worker, ITEMS, "work", quietly)) == [0, 1, 4, 9, 16]
    assert worker.made == [0, 1, 2, 3, 4]
    NOWHERE.clear()


def test_an_interrupted_run_is_taken_up(tmp_path):
    pieces = Pieces(tmp_path / "work")
    with pytest.raises(KeyboardInterrupt):
        pieces.run(Worker(fails_at=3), ITEMS, "work", quietly)
    worker, told = Worker(), []
    found = pieces.run(worker, ITEMS, "work", lambda *said: told.append(said))
    assert squares(found) == [0, 1, 4, 9, 16]
    assert worker.made == [3, 4]
    assert told == [("work", 3, 5), ("work", 4, 5), ("work", 5, 5)]
    assert str(found["piece-4"]["said"][0]) == "did 4"


def test_order_is_that_of_the_items_whatever_was_found(tmp_path):
    pieces = Pieces(tmp_path)
    pieces.run(Worker(), {"piece-4": 4, "piece-1": 1}, "work", quietly)
    assert squares(pieces.run(Worker(), ITEMS, "work", quietly)) == [0, 1, 4, 9, 16]


def test_a_half_written_piece_is_made_again(tmp_path):
    pieces = Pieces(tmp_path)
    pieces.run(Worker(), ITEMS, "work", quietly)
    whole = (tmp_path / "piece-2.npz").read_bytes()
    for broken in (whole[:50], b"", b"PK and nothing else"):
        (tmp_path / "piece-2.npz").write_bytes(broken)
        worker = Worker()
        assert squares(pieces.run(worker, ITEMS, "work", quietly)) == [0, 1, 4, 9, 16]
        assert worker.made == [2]


def test_code_in_a_piece_is_never_run(tmp_path):
    np.savez(tmp_path / "piece-0.npz", square=np.array([print], dtype=object))
    worker = Worker()
    assert squares(Pieces(tmp_path).run(worker, {"piece-0": 0}, "work", quietly)) == [0]
    assert worker.made == [0]


def test_a_finished_run_leaves_nothing(tmp_path):
    pieces = kept_for(tmp_path / "work", "a" * 64)
    pieces.run(Worker(), ITEMS, "work", quietly)
    assert len(list((tmp_path / "work" / ("a" * 16)).iterdir())) == 5
    pieces.clear()
    assert not (tmp_path / "work").exists()
    assert kept_for(None, "a") is NOWHERE


def test_another_run_has_another_key():
    registry, rule, config = simulated(), load_definition(), TrainingConfig()
    key = run_key(registry, rule, config, "1.0")
    assert key == run_key(registry, rule, config.changed(refits=7), "1.0")
    other = [
        run_key(registry, load_definition("upcr-1"), config, "1.0"),
        run_key(registry, rule, config.changed(seed=1), "1.0"),
        run_key(registry, rule, config, "1.1"),
    ]
    assert len({key, *other}) == 4
