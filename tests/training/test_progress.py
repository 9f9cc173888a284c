"""Progress on a terminal, and silence elsewhere."""

from lnrisk.training.progress import progress


def work():
    with progress() as step:
        for done in range(3):
            step("folds", done, 2)
        step("refits", 1, 1)


def test_nothing_is_said_where_there_is_no_terminal(capsys, monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    work()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_is_told_on_stderr_only(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    work()
    out, error = capsys.readouterr()
    assert out == ""
    assert "folds" in error
    assert "2/2" in error
    assert "refits" in error
