"""The dashboard follows a sweep while its runs are at work."""

import gc
import threading
import time

from fabricated_runs import kept, run

from convexp.board import watcher
from convexp.board.folders import HOME
from convexp.board.watcher import Watcher

WAIT = 60  # seconds; a busy machine is no failure


def eventually(condition) -> bool:
    end = time.monotonic() + WAIT
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(condition())


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "dashboard"]


def test_means_appear_when_a_run_is_finished_and_not_before(tmp_path):
    watched = Watcher(tmp_path, pause=0.05)
    watched.start()
    try:
        (tmp_path / "conv-seed0" / ".hydra").mkdir(parents=True)  # a run that has begun
        (tmp_path / "conv-seed0" / "checkpoints").mkdir()
        kept(tmp_path, run(0, "dense"))
        assert eventually((tmp_path / HOME / "dense").is_dir)
        assert not (tmp_path / HOME / "conv").exists()
        kept(tmp_path, run(0, "local"))
        assert eventually((tmp_path / HOME / "local").is_dir)
    finally:
        watched.stop()
    assert threads() == []


def test_results_that_have_not_changed_are_not_read_again(tmp_path, monkeypatch):
    looks, refreshes, results = [], [], watcher.results
    monkeypatch.setattr(watcher, "results", lambda root: looks.append(root) or results(root))
    monkeypatch.setattr(watcher, "_refresh", lambda root: refreshes.append(root) or time.thread_time())
    kept(tmp_path, run(0), run(1))
    watched = Watcher(tmp_path, pause=0.01)
    watched.start()
    assert eventually(lambda: len(looks) > 3)
    assert len(refreshes) == 1
    kept(tmp_path, run(2))
    assert eventually(lambda: len(refreshes) > 1)
    watched.stop()
    assert len(refreshes) == 2


def test_a_folder_that_cannot_be_read_or_does_not_exist_ends_nothing(tmp_path):
    watched = Watcher(tmp_path / "later", pause=0.01)
    watched.start()
    kept(tmp_path / "later", run(0))
    assert eventually((tmp_path / "later" / HOME).is_dir)
    watched.stop()


def test_it_ends_with_the_sweep_that_forgot_to_stop_it(tmp_path):
    watched = Watcher(tmp_path, pause=0.01)
    watched.start()
    assert len(threads()) == 1
    del watched
    gc.collect()
    assert eventually(lambda: threads() == [])
