"""Where modules of the user's own are found: after everything else, those of the last call first."""

import sys

from convexp.config.importable import make_importable


def test_the_folders_of_the_last_call_come_first_and_no_other_moves(tmp_path, monkeypatch):
    a, b, mine = (str(tmp_path / name) for name in ("a", "b", "mine"))
    before = [*sys.path]
    monkeypatch.setattr(sys, "path", [*before])
    make_importable([a])
    make_importable([b, b])
    assert sys.path == [*before, b, a]
    make_importable([a])
    assert sys.path == [*before, a, b]
    sys.path.insert(0, a)  # the user's own
    make_importable(None)
    make_importable([a])
    assert sys.path == [a, *before, a, b]
    sys.path.insert(0, mine)
    make_importable([mine])
    assert sys.path.count(mine) == 1
