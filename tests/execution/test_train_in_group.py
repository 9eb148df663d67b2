"""Runs that are trained at once equal the runs trained alone, and each has a folder, a log and an end of its own."""

import csv
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from conftest import SMALL, read
from groups import in_this_process
from torch import nn

from convexp.execution.train_in_group import _StepsTogether
from convexp.machine.group import run_group
from convexp.models.parts import BatchNormUnit
from convexp.replicas import Replicas

CPU = torch.device("cpu")
SWEEP = (
    "-m",
    *SMALL,
    "trainer.max_epochs=4",
    "trainer.gradient_clip_val=1",
    "callbacks=early_stopping",
    "callbacks.early_stopping.patience=0",
    "scheduler=none",
    "probes=shift_map",
    "playground=false",
    "seed=0,1,2",
    "optimizer.lr=0.03,1e25",
    "hydra.launcher.processes=1",
)
MIXER = (
    "-m",
    "trainer=cpu",
    "trainer.threads=1",
    "trainer.max_epochs=1",
    "scheduler=none",
    "probes=none",
    "playground=false",
    "model=mlp_mixer",
    "model.network.depth=1",
    "model.network.hidden_dim=4",
    "ema=0.9",
    "seed=0,1",
    "hydra.launcher.processes=1",
)


def alone(self, members, batches):
    return [member.steps_alone(own) for member, own in zip(members, batches, strict=True)]


@pytest.fixture
def sweep(call, monkeypatch, tmp_path):
    """Does the sweep in this process, and returns its folder."""

    def do(folder, replicas, overrides=SWEEP, diverged=3):
        monkeypatch.setattr("convexp.engines.local.launch.run_parallel", in_this_process)
        monkeypatch.setattr("convexp.studies.callback.conclude", lambda *_: 0)  # no report, which takes longer
        done = call("train", *overrides, f"hydra.sweep.dir={folder}", f"hydra.launcher.replicas={replicas}")
        assert done.err.count("the loss is not finite") == diverged, done.err
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
        _assert_same_state(one / name, serial / name)
        _assert_same_curves(one / name, serial / name, 0)
        _assert_same_curves(one / name, together / name, 1e-4, epochs=1)
        for folder in (serial, together):
            logs = (folder / name / "train.log").read_text().splitlines()
            assert sum("started at epoch 1:" in line for line in logs) == 1
            assert sum(": train/" in line for line in logs) == read(folder / name)["metrics"]["epochs"]
            assert name.split("-")[-1] in logs[0]
    assert len(epochs) > 1  # they stop early, at different times


def test_networks_of_any_kind_with_averaged_weights_equal_the_runs_alone(sweep):
    """They go through ``torch.vmap``; validation sees the average of each network's weights."""
    one, together = (sweep(f"replicas{replicas}", replicas, MIXER, diverged=0) for replicas in (1, 2))
    for name in ("seed0", "seed1"):
        assert read(together / name)["hardware"]["replicas"] == 2
        _assert_same_curves(one / name, together / name, 1e-4, epochs=1)
        saved = torch.load(together / name / "checkpoints" / "last.ckpt", weights_only=True)
        weights, average = saved["current_model_state"], saved["state_dict"]
        assert max(float((average[key] - value).abs().max()) for key, value in weights.items()) > 1e-3


@pytest.mark.parametrize(
    ("parameters", "flops", "ema", "norm"),
    [
        (10**8, 10**9, None, nn.BatchNorm2d),
        (1000, 1000, 0.9, nn.BatchNorm2d),
        (1000, 1000, None, nn.BatchNorm1d),
        (1000, 1000, None, BatchNormUnit),
    ],
    ids=["large", "ema", "batch_norm_of_units", "batch_unit"],
)
def test_runs_that_are_not_faster_or_not_the_same_at_once_are_done_one_after_another(parameters, flops, ema, norm):
    happened = []
    network = SimpleNamespace(layers=[SimpleNamespace(parameters=parameters, flops=flops)])
    recorder = SimpleNamespace(record=SimpleNamespace(network=network))
    setup = SimpleNamespace(config=SimpleNamespace(data=SimpleNamespace(batch_size=32), ema=ema))

    def run(number):
        task = SimpleNamespace(device=CPU, network=nn.Sequential(norm(1)), trainer_of_steps=_StepsTogether(setup, recorder))
        task.train_on = lambda batches: happened.append((number, len(batches))) or []
        happened.append((number, "set up"))
        task.trainer_of_steps(task, [None, None])
        assert task.trainer_of_steps is None

    list(run_group([partial(run, number) for number in range(4)]))
    assert happened == [done for number in range(4) for done in ((number, "set up"), (number, 2))]


def _assert_same_state(one, other):
    """Weights, optimizer, schedule, early stopping, random numbers, in the last and in the best checkpoint."""
    for name in ("last.ckpt", "best.ckpt"):
        first, second = (torch.load(run / "checkpoints" / name, weights_only=True) for run in (one, other))
        _assert_same(first, second)


def _assert_same(one, other):
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict | list | tuple):
        assert len(one) == len(other)
        for key in one if isinstance(one, dict) else range(len(one)):
            _assert_same(one[key], other[key])
    else:
        assert one == other


def _assert_same_curves(one, other, tolerance, epochs=None):
    rows, others = (list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))[:epochs] for run in (one, other))
    assert len(rows) == len(others)
    for row, same in zip(rows, others, strict=True):
        assert row.keys() == same.keys()
        for key in row:
            if row[key]:
                assert float(same[key]) == pytest.approx(float(row[key]), rel=tolerance, abs=tolerance), key
