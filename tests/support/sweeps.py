"""Sweeps as processes of their own: started, watched, killed, and what has to be the same however they got there."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from conftest import SMALL, read
from forked import Forked
from shared import made_once

SWEEP = ("-m", *SMALL, "probes=shift_map", "hydra.sweep.dir=sweep", "model=conv,local", "seed=0,1")
RUNS = ("conv-seed0", "conv-seed1", "local-seed0", "local-seed1")
APART = ("hydra.launcher.processes=2",)
LONG = ("trainer.max_epochs=12",)  # the last word on a setting counts; seconds in which something can happen to a run


@contextmanager
def started(*arguments, cwd, out="out.txt", fresh=False, **environment):
    """convexp-train in a process group of its own, which is gone afterwards; if it is ``fresh``, it makes its own imports."""
    with (cwd / out).open("w") as out:
        settings = {"stdout": out, "stderr": out, "start_new_session": True}
        variables = {**os.environ, "COLUMNS": "200", **environment}
        if fresh:
            command = [sys.executable, "-m", "convexp.cli.train", *arguments]
            process = subprocess.Popen(command, cwd=cwd, env=variables, **settings)
        else:
            process = Forked("convexp.cli.train", arguments, cwd, variables, **settings)
        try:
            yield process
        finally:
            kill(process)


def kill(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(condition, timeout=300):  # a busy machine takes a minute for the imports alone
    """Wait until a condition is met; return what it is then."""
    end = time.monotonic() + timeout
    while not (met := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return met


def states(root, runs=RUNS):
    return {name: read(root / name)["state"] for name in runs if (root / name / "result.json").is_file()}


def outcome(root):
    """All that has to be the same however a sweep got there; times are not."""
    timed = ("seconds", "accounting")
    return {
        name: {k: v for k, v in read(root / name)["metrics"].items() if not any(word in k for word in timed)} for name in RUNS
    }


def starts(root, runs=RUNS):
    """How often each run was begun from its first epoch."""
    return {name: (root / name / "train.log").read_text().count("started at epoch 1:") for name in runs}


def begun(root, runs=RUNS):
    """The runs that are at it and have something to go on from."""
    return [
        name
        for name, state in states(root, runs).items()
        if state == "running" and (root / name / "checkpoints" / "last.ckpt").exists()
    ]


def undisturbed_outcome(tmp_path_factory, *more):
    """The outcome of the sweep when nothing happens to it; made once for all tests."""

    def sweep(folder):
        with started(*SWEEP, *more, *APART, cwd=folder) as process:
            assert process.wait(300) == 0, (folder / "out.txt").read_text()

    return outcome(made_once(tmp_path_factory, "-".join(["undisturbed", *more]), sweep) / "sweep")


def holder(run):
    """The number of the process that holds the lock of a run folder; None if nobody does (Linux)."""
    with suppress(FileNotFoundError):
        inode = (run / ".lock").stat().st_ino
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if "FLOCK" in words and "->" not in words and int(words[5].rpartition(":")[2]) == inode:
                return int(words[4])
    return None


def processes_below(leader):
    """The numbers of the processes that do the runs: children of the server that ``leader`` has started for them."""
    parents = {}
    for process in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
    return [pid for pid, parent in parents.items() if parents.get(parent) == leader]
