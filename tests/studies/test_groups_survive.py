"""A group of runs in one process that is killed or asked to stop: each of its runs goes on from where it was."""

import os
import signal

import pytest
from conftest import SMALL, read
from groups import in_this_process
from sweeps import processes_below, started, starts, states, until

RUNS = tuple(f"seed{seed}" for seed in range(3))
AT_ONCE = "trained at once with 2 others"
SWEEP = (
    "-m",
    *SMALL,
    "trainer.max_epochs=8",
    "probes=shift_map",
    "playground=false",
    "hydra.sweep.dir=sweep",
    "seed=0,1,2",
    "hydra.launcher.processes=1",
    "hydra.launcher.replicas=3",
)


def outcome(root):
    found = {name: read(root / name) for name in RUNS}
    assert {record["state"] for record in found.values()} == {"finished"}
    assert {record["hardware"]["replicas"] for record in found.values()} == {3}
    return {name: {k: v for k, v in record["metrics"].items() if "seconds" not in k} for name, record in found.items()}


@pytest.mark.e2e
def test_killed_and_asked_to_stop_it_ends_as_if_nothing_had_happened(tmp_path, call, monkeypatch):
    """First ``kill -9`` of the process that has the group, then SIGTERM of the sweep."""
    root = tmp_path / "sweep"
    with started(*SWEEP, cwd=tmp_path) as process:
        until(lambda: all((root / name / "checkpoints" / "last.ckpt").exists() for name in RUNS) or process.poll() is not None)
        (group,) = processes_below(process.pid)
        os.kill(group, signal.SIGKILL)
        assert process.wait(300) == 1
    said = (tmp_path / "out.txt").read_text()
    assert all(f"{name}: its process has ended (killed by SIGKILL" in " ".join(said.split()) for name in RUNS)
    assert set(states(root, RUNS).values()) == {"running"}  # as their records were left; nobody holds them
    with started(*SWEEP, cwd=tmp_path) as process:
        until(lambda: all(len(log(root, n)) == 3 and AT_ONCE in log(root, n)[-1] for n in RUNS) or process.poll() is not None)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(300) == 130
    assert set(states(root, RUNS).values()) == {"interrupted"}
    assert all("INFO interrupted" in log(root, name)[-1] for name in RUNS)
    monkeypatch.setattr("convexp.engines.local.launch.run_parallel", in_this_process)
    done = call("train", *SWEEP)
    assert done.code == 0, done.err
    assert "3 interrupted, to be resumed" in done.out
    assert starts(root, RUNS) == dict.fromkeys(RUNS, 1)
    assert call("train", *SWEEP, "hydra.sweep.dir=whole").code == 0
    assert outcome(root) == outcome(tmp_path / "whole")


def log(root, name):
    """What each start of a run has logged."""
    return (root / name / "train.log").read_text().split("started at")
