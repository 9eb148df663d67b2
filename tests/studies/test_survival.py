"""Sweeps that are killed, run out of disk, find damaged files or each other: real processes, real signals, real disks."""

import os
import re
import shlex
import signal
import subprocess
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import SMALL, read
from sweeps import LONG, RUNS, SWEEP, begun, kill, outcome, processes_below, started, starts, states, undisturbed_outcome, until

from convexp.records.folder import RunFolder
from convexp.records.search import read_search
from convexp.records.statuses import status_of


@pytest.fixture
def undisturbed(tmp_path_factory):
    return undisturbed_outcome(tmp_path_factory)


@pytest.mark.e2e
def test_killed_at_any_moment_it_finishes_the_rest_the_next_time(tmp_path, call, program, undisturbed):
    root = tmp_path / "sweep"
    moments = [
        (root / "study.json").exists,
        (root / "conv-seed0" / "checkpoints" / "last.ckpt").exists,
        lambda: states(root).get("conv-seed0") == "finished",
        (root / "local-seed0" / "result.json").exists,
        lambda: states(root).get("local-seed0") == "finished",
    ]
    finished = {}
    for moment in moments:
        with started(*SWEEP, cwd=tmp_path) as process:
            until(lambda moment=moment, process=process: moment() or process.poll() is not None)
            kill(process)
        now = {name: (root / name / "result.json").read_bytes() for name, state in states(root).items() if state == "finished"}
        assert now.items() >= finished.items()  # nothing finished is lost or done again
        finished = now
    done = program("train", *SWEEP, cwd=tmp_path)
    assert done.code == 0, done.err
    assert f"{len(finished)} already finished" in done.out
    assert outcome(root) == undisturbed
    again = call("train", *SWEEP)
    assert again.code == 0
    assert "4 runs in sweep: 4 already finished" in again.out


def test_says_which_runs_go_on_which_are_tried_again_and_which_are_new(call, interrupted_at, tmp_path):
    root = tmp_path / "sweep"
    with interrupted_at(epoch=1, batch=0):
        assert call("train", *SWEEP).code == 130
    assert states(root) == {"conv-seed0": "interrupted"}
    done = call("train", *SWEEP)
    assert done.code == 0, done.err
    assert "4 runs in sweep: 1 interrupted, to be resumed (conv-seed0), 3 new" in done.out
    assert starts(root) == dict.fromkeys(RUNS, 1)


def test_damaged_files_are_made_again(call, tmp_path, interrupted_at):
    root = tmp_path / "sweep"
    assert call("train", *SWEEP).code == 0
    before = outcome(root)
    result = root / "conv-seed1" / "result.json"
    result.write_bytes(result.read_bytes()[:100])
    with interrupted_at(epoch=1, batch=3):
        assert call("train", *SWEEP[:-2], "model=global_conv", "seed=0").code == 130
    checkpoint = root / "digits-global_conv-seed0" / "checkpoints" / "last.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    (root / "study.json").write_text('{"format": 1, "na')
    done = call("train", *SWEEP)
    assert done.code == 0, done.err  # global_conv is not part of this start, and the plan that knew it is gone
    assert "4 runs in sweep: 3 already finished, 1 new" in done.out
    assert "digits-global_conv-seed0: interrupted" in done.out
    assert outcome(root) == before
    done = call("train", *SWEEP[:-2], "model=global_conv", "seed=0")
    assert done.code == 0, done.err
    assert read(root / "digits-global_conv-seed0")["state"] == "finished"


@pytest.mark.e2e
def test_srun_shares_the_work_of_one_folder(tmp_path, undisturbed):
    """Three processes as ``srun -n 3`` starts them: every run once, the same bits, exit code 0, and the report of all."""
    root = tmp_path / "sweep"
    srun = tmp_path / "bin" / "srun"
    srun.parent.mkdir()
    srun.write_text("#!/bin/sh\n")
    srun.chmod(0o755)
    slurm = {"PATH": f"{srun.parent}:{os.environ['PATH']}", "SLURM_NTASKS": "3", "SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "j"}
    with ExitStack() as stack:
        tasks = [
            stack.enter_context(started(*SWEEP, cwd=tmp_path, out=f"{rank}.txt", SLURM_PROCID=str(rank), **slurm))
            for rank in range(3)
        ]
        codes = [task.wait(300) for task in tasks]
    said = [(tmp_path / f"{rank}.txt").read_text() for rank in range(3)]
    assert codes == [0, 0, 0], said
    assert not any(word in text for text in said for word in ("choose another", "not started", "HINT", "Traceback"))
    assert starts(root) == dict.fromkeys(RUNS, 1)
    assert outcome(root) == undisturbed
    assert all(list((root / name).glob("events.out.tfevents.*")) for name in RUNS)
    assert len((root / "runs.csv").read_text().splitlines()) == 5


def test_what_another_process_does_is_no_failure(call, tmp_path):
    with RunFolder(tmp_path / "sweep" / "conv-seed1", "of the other process"):
        done = call("train", *SWEEP[:-2], "model=conv", "seed=0,1", "only_costs=true", "hydra.sweep.subdir=conv-seed${seed}")
    assert done.code == 0, done.err
    assert done.err == ""
    assert "1 running in another process (conv-seed1), 1 new" in done.out
    assert "conv-seed1: running, another process is running it" in done.out


def test_what_another_process_leaves_is_done_in_the_end(call, tmp_path, monkeypatch):
    """Its folder is free again when all others are done."""
    from convexp.cli import train

    other = RunFolder(tmp_path / "sweep" / "conv-seed0", "of the other process")
    other.__enter__()
    execute = train.execute

    def then_the_other_ends(*arguments, **settings):
        other.__exit__(None, None, None)
        return execute(*arguments, **settings)

    monkeypatch.setattr(train, "execute", then_the_other_ends)
    done = call("train", *SWEEP[:-2], "model=conv", "seed=0,1", "only_costs=true", "hydra.sweep.subdir=conv-seed${seed}")
    assert done.code == 0, done.err
    assert read(tmp_path / "sweep" / "conv-seed0")["state"] == "finished"


TWO = (*LONG, "hydra.launcher.processes=2")


@pytest.mark.e2e
@pytest.mark.parametrize("how", ["SIGTERM", "SIGTERM to all"])  # tests/engines has Ctrl-C and SIGKILL
def test_all_processes_end_with_the_sweep_and_what_they_did_goes_on(how, tmp_path, call):
    root = tmp_path / "sweep"
    with started(*SWEEP, *TWO, cwd=tmp_path) as sweep:
        until(lambda: len(begun(root)) == 2)
        workers = processes_below(sweep.pid)
        assert len(workers) == 2
        (os.killpg if how == "SIGTERM to all" else os.kill)(sweep.pid, signal.SIGTERM)
        assert sweep.wait(300) == 130
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert set(states(root).values()) == {"interrupted"}
    said = (tmp_path / "out.txt").read_text()
    assert "Traceback" not in said
    (command,) = re.findall(r"^interrupted; to go on: convexp-train (.*)$", said, re.MULTILINE)
    done = call("train", *shlex.split(command), "hydra.launcher.processes=1")
    assert done.code == 0, done.err
    assert "2 interrupted, to be resumed (" in done.out
    assert set(starts(root).values()) == {1}


@pytest.mark.e2e
@pytest.mark.parametrize("after", [0, 1.5])
def test_ctrl_c_while_the_imports_are_made_says_no_more_than_later(after, tmp_path):
    root = tmp_path / "sweep"
    with started(*SWEEP, *TWO, cwd=tmp_path, fresh=True) as sweep:
        until((root / "study.json").exists)
        time.sleep(after)
        os.killpg(sweep.pid, signal.SIGINT)
        assert sweep.wait(300) == 130
    said = (tmp_path / "out.txt").read_text()
    assert "Traceback" not in said, said


@pytest.mark.e2e
def test_with_another_sweeper_a_killed_run_is_not_forgotten(tmp_path):
    with started(*SWEEP, *TWO, "hydra/sweeper=basic", "hydra.sweep.subdir=${model.name}-seed${seed}", cwd=tmp_path) as sweep:
        until(lambda: len(processes_below(sweep.pid)) == 2)
        os.kill(processes_below(sweep.pid)[0], signal.SIGKILL)
        assert sweep.wait(300) == 1
    said = (tmp_path / "out.txt").read_text()
    assert "not run, its process has ended (killed by SIGKILL, perhaps for want of memory)" in said


def test_a_wrong_number_of_processes_writes_nothing(call, tmp_path):
    done = call("train", *SWEEP, "hydra.launcher.processes=0")
    assert done.code == 2
    assert "hydra.launcher.processes=0: should be a whole number from 1 on" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own that is soon full; ``remount`` changes its size and how many files it holds."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"needs the right to mount a disk: {made.stderr.strip()}")

    def remount(options):
        subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)

    try:
        yield disk, remount
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.e2e
def test_full_disk_loses_nothing_and_the_next_start_finishes(tmp_path, call, program, small_disk, undisturbed):
    disk, remount = small_disk
    sweep = (*SWEEP, f"hydra.sweep.dir={disk}/sweep")
    done = program("train", *sweep, cwd=tmp_path)
    assert done.code == 1
    assert "No space left" in done.err
    assert "Traceback" not in done.err
    for run in re.findall(r"traceback in (\S+)/result.json", done.err):
        assert read(tmp_path / run)["error"]
    finished = {
        n: (disk / "sweep" / n / "result.json").read_bytes() for n, s in states(disk / "sweep").items() if s == "finished"
    }
    remount("size=100m")
    done = call("train", *sweep)
    assert done.code == 0, done.err
    assert outcome(disk / "sweep") == undisturbed
    assert all((disk / "sweep" / name / "result.json").read_bytes() == before for name, before in finished.items())


@pytest.mark.e2e
@pytest.mark.parametrize("size", [200, 420, 600])
def test_a_search_on_a_full_disk_says_so_in_a_line_and_no_trial_fails_by_it(tmp_path, program, small_disk, size):
    disk, remount = small_disk
    remount(f"size={size}k")
    small = ("trainer=cpu", "trainer.threads=1", "trainer.max_epochs=1", "data.train_size=200", "logger=csv", "probes=none")
    search = ("hydra/sweeper=optuna", "hydra.sweeper.n_trials=5", "hydra.sweeper.sampler=random", "hydra.launcher.processes=1")
    space = ("model.channels=[16,16]", "optimizer.lr=interval(0.001,0.01)", "playground=false", f"hydra.sweep.dir={disk}/sweep")
    done = program("train", "-m", *small, *search, *space, cwd=tmp_path)
    assert done.code == 1, done.err
    assert "Traceback" not in done.err
    assert "No space left on device" in done.err or "disk is full" in done.err
    remount("size=100m")
    done = program("train", "-m", *small, *search, *space, cwd=tmp_path)
    assert done.code == 0, done.err
    assert [trial.state for trial in read_search(disk / "sweep").trials] == ["complete"] * 5


@pytest.mark.e2e
@pytest.mark.parametrize("options", ["size=4k", "size=32k", "size=128k", "nr_inodes=3", "nr_inodes=8", "nr_inodes=12"])
def test_a_single_run_says_in_a_line_that_the_disk_is_full_and_goes_on_when_it_is_not(call, small_disk, options):
    disk, remount = small_disk
    remount(options)
    run = (*SMALL, f"hydra.run.dir={disk}/run")
    done = call("train", *run)
    assert done.code in (1, 2), done.out
    assert "No space left on device" in done.err
    assert done.err.count("\n") == 1, done.err
    remount("size=100m,nr_inodes=1000")
    done = call("train", *run)
    assert done.code == 0, done.err
    assert not [path for path in disk.rglob("*") if "partial" in path.name]


def test_stop_at_the_first_failure(call, tmp_path):
    sweep = ("-m", *SMALL, "hydra.sweep.dir=sweep", "optimizer=sgd", "optimizer.lr=1e30,0.1", "on_failure=stop")
    done = call("train", *sweep)
    assert done.code == 1
    assert read(tmp_path / "sweep" / "lr1e+30")["state"] == "failed"
    assert not (tmp_path / "sweep" / "lr0.1").exists()
    assert re.search(r"lr0.1: missing", done.out)
    done = call("train", *sweep[:-1])
    assert done.code == 1
    assert "1 failed, to be retried (lr1e+30), 1 new" in done.out
    assert read(tmp_path / "sweep" / "lr0.1")["state"] == "finished"


def test_finished_study_starts_again_without_torch(call, program, tmp_path):
    assert call("train", *SWEEP).code == 0
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "torch.py").write_text("raise SystemExit('torch was imported')")
    done = program("train", *SWEEP, cwd=tmp_path, fresh=True, PYTHONPATH=str(tmp_path / "lib"))
    assert done.code == 0, done.err
    assert "4 already finished" in done.out


def test_what_a_full_disk_left_before_the_first_result_stands_in_no_ones_way(call, tmp_path):
    for left in ("train.log", "result.json.partial-7", ".lock"):
        (tmp_path / "sweep" / "conv-seed0").mkdir(parents=True, exist_ok=True)
        (tmp_path / "sweep" / "conv-seed0" / left).touch()
    done = call("train", *SWEEP, "only_costs=true")
    assert done.code == 0, done.err


def test_looking_whether_a_folder_is_free_refuses_no_run(tmp_path):
    looking = threading.Event()

    def look():
        while not looking.is_set():
            status_of(tmp_path / "run", "id")

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for _ in range(50):
            with RunFolder(tmp_path / "run", "id"):
                pass
    finally:
        looking.set()
        watcher.join()
