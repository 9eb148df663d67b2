"""Several machines on one folder: processes that think they are on different ones, with locks that do not reach the others."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from conftest import ROOT, SMALL
from fabricated_runs import kept, run, with_path
from forked import Forked
from msgspec.structs import replace
from sweeps import begun, kill, states, until

from convexp.errors import BusyError, TakenOverError
from convexp.files.leases.heartbeat import Heartbeat
from convexp.files.leases.held import HeldError
from convexp.files.leases.lease import new_lease
from convexp.files.leases.place import LeasePlace
from convexp.files.leases.take import take
from convexp.records import RunFolder, RunRecord, RunStatus, read_record
from convexp.records.folder import prune
from convexp.records.markers import mark_refused, refused_runs
from convexp.records.statuses import busy_among, status_of, statuses_of
from convexp.records.submissions import Submission, add_submissions, read_submissions

RUN = "digits-conv-seed0"
EPOCHS = ("trainer.max_epochs=4",)
SWEEP = (
    "-m",
    *SMALL,
    "probes=shift_map",
    "hydra.sweep.dir=sweep",
    "model=conv",
    "seed=0",
    *EPOCHS,
    "hydra.launcher.processes=1",
)
PATIENCE = 900  # seconds for what takes ten on an idle machine
TOO_LONG = 600


@contextmanager
def machine(name, kind, cwd, waits=False):
    """The sweep, started on a machine of this name; if it ``waits``, it does so in its third epoch for a file ``go``."""
    here = {"COLUMNS": "200", "CONVEXP_HOST": name, "CONVEXP_HEARTBEAT": "1"} | ({"WAITS": "1"} if waits else {})
    with (cwd / f"{name}.txt").open("w") as out:
        program = str(ROOT / "tests" / "support" / "other_locks.py")
        process = Forked(program, [kind, *SWEEP], cwd, {**os.environ, **here}, out, out, start_new_session=True)
        try:
            yield process
        finally:
            kill(process)


def until_begun(process, root):
    def has_begun():
        assert process.poll() is None, "it has ended"
        return begun(root, [RUN])

    until(has_begun, TOO_LONG)


def said(name, cwd):
    return (cwd / f"{name}.txt").read_text()


def results(run):
    """All that has to be the same on whichever machines a run was done."""
    return {k: v for k, v in json.loads((run / "result.json").read_text())["metrics"].items() if "seconds" not in k}


@pytest.mark.e2e
def test_a_run_goes_on_on_another_machine_when_its_own_has_died_and_never_on_two(tmp_path):
    """Without any locks: while a machine lives, the other leaves its run alone; then it takes it over, with the same bits."""
    root = tmp_path / "sweep"
    with machine("node1", "none", tmp_path, waits=True) as first:
        until_begun(first, root)
        with machine("node2", "none", tmp_path) as second:
            assert second.wait(PATIENCE) == 0
        assert "1 running in another process" in said("node2", tmp_path)
        assert f"{RUN}: running, another process is running it" in said("node2", tmp_path)
        assert first.poll() is None, said("node1", tmp_path)
        kill(first)
    assert states(root, [RUN]) == {RUN: "running"}  # as its record says, which a dead process cannot change
    with machine("node3", "none", tmp_path) as third:
        assert third.wait(PATIENCE) == 0, said("node3", tmp_path)
    assert "1 interrupted" in said("node3", tmp_path)
    assert states(root, [RUN]) == {RUN: "finished"}
    assert (root / RUN / "train.log").read_text().count("started at epoch 1") == 1
    taken_over = results(root / RUN)
    shutil.rmtree(root)
    with machine("node4", "none", tmp_path) as undisturbed:
        assert undisturbed.wait(PATIENCE) == 0
    assert results(root / RUN) == taken_over


@pytest.mark.e2e
def test_a_machine_that_wakes_up_after_its_run_was_taken_over_leaves_the_record_alone(tmp_path):
    root = tmp_path / "sweep"
    record = root / RUN / "result.json"
    with machine("node1", "local", tmp_path, waits=True) as first:
        until_begun(first, root)
        os.killpg(first.pid, signal.SIGSTOP)
        with machine("node2", "local", tmp_path) as second:
            assert second.wait(PATIENCE) == 0, said("node2", tmp_path)
        assert states(root, [RUN]) == {RUN: "finished"}
        before = record.read_bytes(), record.stat().st_ino
        (tmp_path / "go").touch()
        os.killpg(first.pid, signal.SIGCONT)
        assert first.wait(PATIENCE) == 0, said("node1", tmp_path)  # all that was planned is done
    assert (record.read_bytes(), record.stat().st_ino) == before
    assert f"{RUN}: another process is working on it" in said("node1", tmp_path)
    assert "Traceback" not in said("node1", tmp_path)
    assert "taken over by another process" in (root / RUN / "train.log").read_text()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setenv("CONVEXP_HEARTBEAT", "0.02")


@pytest.fixture
def elsewhere(tmp_path, quick):
    """Puts a lease of another machine into a folder, whose record says that it runs: elsewhere(name)."""

    def put(name, state=RunStatus.RUNNING):
        folder = kept(tmp_path, with_path(name, run(), state=state.value, identity="id")) / name
        (folder / ".lock").touch()
        return take(LeasePlace(folder), None, replace(new_lease(""), host="elsewhere"))

    return put


def test_the_lock_says_free_and_the_lease_says_that_another_machine_is_at_it(elsewhere, tmp_path):
    heartbeat = Heartbeat(replace_every(elsewhere("run"), 0.5), lambda: None)
    heartbeat.start()
    try:
        assert status_of(tmp_path / "run", "id") is RunStatus.BUSY
        assert busy_among([tmp_path / "run", tmp_path / "none"]) == {tmp_path / "run"}
        with pytest.raises(BusyError):
            RunFolder(tmp_path / "run", "id").__enter__()
    finally:
        heartbeat.stop()


def replace_every(held, seconds):
    held.lease = replace(held.lease, every=seconds)
    held.beat()
    return held


def test_runs_of_dead_machines_are_found_out_at_once_and_ended_for_whoever_does_them_now(elsewhere, tmp_path, monkeypatch):
    from convexp.records import statuses

    for i in range(100):
        elsewhere(f"run{i}")
    watched = []
    stale = statuses.stale
    monkeypatch.setattr(statuses, "stale", lambda found: watched.append(len(found)) or stale(found))
    runs = [(tmp_path / f"run{i}", "id") for i in range(100)]
    assert statuses_of(runs, end_stale=True) == 100 * [RunStatus.INTERRUPTED]
    assert statuses_of(runs) == 100 * [RunStatus.INTERRUPTED]
    with RunFolder(tmp_path / "run7", "id") as folder:
        assert folder.found is RunStatus.INTERRUPTED
    assert watched == [100]  # once for all, and never again


def test_leases_of_runs_that_have_ended_are_not_looked_at(elsewhere, tmp_path, monkeypatch):
    from convexp.records import statuses

    for state in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.INTERRUPTED):
        elsewhere(state.value, state)
        monkeypatch.setattr(statuses, "LeasePlace", None)
        assert status_of(tmp_path / state.value, "id") is state
        monkeypatch.undo()


def test_a_run_that_was_taken_over_is_stopped_and_writes_no_record(tmp_path, quick):
    def work():
        with RunFolder(tmp_path, "id") as folder:
            folder.write(RunRecord(state=RunStatus.RUNNING, identity="id"))
            others.append(taken_over(tmp_path))
            with pytest.raises(KeyboardInterrupt):
                folder.write(RunRecord(state=RunStatus.FAILED, identity="id"))
            compute_until_interrupted()

    others = []
    with pytest.raises(TakenOverError):
        work()
    assert read_record(tmp_path).state is RunStatus.RUNNING
    assert others[0].is_ours()


def taken_over(folder):
    """The lease of another machine, which has waited for long enough."""
    place = LeasePlace(folder)
    while True:
        with suppress(HeldError):  # the heartbeat has beaten between looking and taking
            return take(place, place.latest(), replace(new_lease(""), host="elsewhere"))


def compute_until_interrupted():
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass


def test_a_real_interruption_is_none_of_another_machine(tmp_path):
    with pytest.raises(KeyboardInterrupt), RunFolder(tmp_path, "id") as folder:
        raise KeyboardInterrupt
    assert not folder.taken_over
    assert status_of(tmp_path, "id") is RunStatus.NEW


def test_what_nfs_keeps_of_removed_files_makes_no_folder_foreign(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".nfs000000000123abcd00000001").touch()
    with RunFolder(tmp_path / "run", "id") as folder:
        assert folder.found is RunStatus.NEW


def test_a_folder_that_holds_nothing_but_an_ended_lease_is_removed_and_one_that_is_held_stays(tmp_path, monkeypatch, quick):
    monkeypatch.chdir(tmp_path)
    with RunFolder(tmp_path / "run", "id"):
        prune(tmp_path / "run")
        assert (tmp_path / "run").is_dir()
    prune(tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.e2e
def test_what_machines_append_to_one_file_is_whole(tmp_path):
    """No locks, and appending that is not atomic: each reads the length, waits, and writes there."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import other_locks; other_locks.put('none')\n"
        "import io, os, pathlib; from convexp.files import atomic\n"
        "class Slow(io.StringIO):\n"
        "    def __init__(self, file):\n"
        "        super().__init__(); self.file = file; self.at = file.stat().st_size if file.exists() else 0\n"
        "    def __exit__(self, *_):\n"
        "        os.sched_yield(); handle = os.open(self.file, os.O_WRONLY | os.O_CREAT)\n"
        "        os.pwrite(handle, self.getvalue().encode(), self.at); os.close(handle)\n"
        "atomic.open_append = Slow\n"
        "from convexp.records.markers import mark_refused\n"
        "from convexp.records.submissions import Submission, add_submissions\n"
        "root, me = pathlib.Path(sys.argv[2]), sys.argv[3]\n"
        "for i in range(5):\n"
        "    mark_refused(root, f'{me}-{i}', 'why')\n"
        "    add_submissions(root, [Submission(run=f'{me}-{i}', engine='e', job='1', host=me, at='')])\n"
    )
    support = str(Path(__file__).parent.parent / "support")
    machines = [
        subprocess.Popen(
            [sys.executable, "-c", script, support, str(tmp_path), f"m{i}"],
            env={**os.environ, "CONVEXP_HOST": f"m{i}", "CONVEXP_HEARTBEAT": "1"},
        )
        for i in range(4)
    ]
    assert [process.wait(PATIENCE) for process in machines] == [0, 0, 0, 0]
    runs = {f"m{m}-{i}" for m in range(4) for i in range(5)}
    assert {run for run, _ in refused_runs(tmp_path)} == runs
    assert set(read_submissions(tmp_path)) == runs


def test_marks_and_submissions_are_read_as_they_were_written(tmp_path):
    mark_refused(tmp_path, "run", 'a "reason"\nof two lines')
    assert refused_runs(tmp_path) == [("run", 'a "reason"\nof two lines')]
    with (tmp_path / ".refused").open("ab") as file:  # by a process that was killed in the middle
        file.write(b'["other", "a rea\xff')
    assert len(refused_runs(tmp_path)) == 1
    mark_refused(tmp_path, "third", "why")
    assert refused_runs(tmp_path)[1:] == [("third", "why")]
    for job in ("1", "2"):
        add_submissions(tmp_path, [Submission(run="run", engine="slurm", job=job, host="h", at="")])
    assert read_submissions(tmp_path)["run"].job == "2"
    assert read_record(tmp_path) is None
