"""Runs that are trained at once equal the runs trained alone, and each has a folder, a log and an end of its own."""

import csv

import pytest
import torch
from conftest import SMALL, read
from torch.testing import assert_close

from convexp.engines.local.worker_main import do_together
from convexp.engines.results import JobResult
from convexp.replicas import Replicas

SWEEP = (
    "-m",
    *SMALL,
    "trainer.max_epochs=4",
    "trainer.gradient_clip_val=1",
    "callbacks=early_stopping",
    "callbacks.early_stopping.patience=0",
    "probes=shift_map",
    "playground=false",
    "seed=0,1,2",
    "data.train_size=300",
    "optimizer.lr=0.1,1e25",
    "hydra.launcher.processes=1",
)


def in_this_process(work, jobs, _slots, _preload, groups):
    for numbers in groups:
        for index, *done in do_together(work, [jobs[number]() for number in numbers]):
            yield JobResult(numbers[index], *done)


def alone(self, members, batches):
    return [member.steps_alone(own) for member, own in zip(members, batches, strict=True)]


@pytest.fixture
def sweep(call, monkeypatch, tmp_path):
    """Does the sweep in this process, and returns its folder."""

    def do(folder, replicas):
        monkeypatch.setattr("convexp.engines.local.launch.run_parallel", in_this_process)
        monkeypatch.setattr("convexp.studies.callback.conclude", lambda *_: 0)  # no report, which takes longer
        done = call("train", *SWEEP, f"hydra.sweep.dir={folder}", f"hydra.launcher.replicas={replicas}")
        assert done.err.count("the loss is not finite") == 3
        return tmp_path / folder

    return do


def test_a_group_equals_the_runs_alone(sweep, monkeypatch, tmp_path):
    one = sweep("alone", 1)
    together = sweep("together", 6)
    with monkeypatch.context() as patched:
        patched.setattr(Replicas, "steps", alone)
        serial = sweep("serial", 6)
    names = sorted(path.parent.name for path in one.glob("*/result.json"))
    assert len(names) == 6
    epochs = set()
    for name in names:
        records = [read(folder / name) for folder in (one, together, serial)]
        assert records[1]["hardware"]["replicas"] == 6
        assert len({record["state"] for record in records}) == 1
        assert records[0]["state"] == ("failed" if "1e25" in name or "1e+25" in name else "finished")
        assert records[0]["identity"] == records[1]["identity"]
        if records[0]["state"] == "failed":
            assert "the loss is not finite" in records[1]["error"]
            continue
        epochs.add(records[0]["metrics"]["epochs"])
        for folder, tolerance in ((serial, 0), (together, 1e-4)):
            _assert_same_state(one / name, folder / name, tolerance)
            _assert_same_curves(one / name, folder / name, tolerance)
            logs = (folder / name / "train.log").read_text().splitlines()
            assert sum("started at epoch 1:" in line for line in logs) == 1
            assert sum(": train/" in line for line in logs) == records[0]["metrics"]["epochs"]
            assert name.split("-")[-1] in logs[0]
    assert len(epochs) > 1  # they stop early, at different times


def _assert_same_state(one, other, tolerance):
    """Weights, optimizer, schedule, early stopping, random numbers, in the last and in the best checkpoint."""
    for name in ("last.ckpt", "best.ckpt"):
        first, second = (torch.load(run / "checkpoints" / name, weights_only=True) for run in (one, other))
        assert first["callbacks"].keys() == second["callbacks"].keys()
        assert torch.equal(first["callbacks"]["RandomState"]["cpu"], second["callbacks"]["RandomState"]["cpu"])
        for key in ("epoch", "global_step", "loops"):
            assert first[key] == second[key]
        for key in ("state_dict", "optimizer_states", "lr_schedulers"):
            assert_close(first[key], second[key], rtol=tolerance, atol=tolerance)


def _assert_same_curves(one, other, tolerance):
    rows, others = (list(csv.DictReader((run / "metrics.csv").read_text().splitlines())) for run in (one, other))
    assert len(rows) == len(others)
    for row, same in zip(rows, others, strict=True):
        assert row.keys() == same.keys()
        for key in row:
            if "accounting" not in key and row[key]:
                assert float(same[key]) == pytest.approx(float(row[key]), rel=10 * tolerance, abs=10 * tolerance), key
