"""Steps that a task makes itself, several batches at a time, are those that Lightning makes with one batch after the other."""

import os
from contextlib import contextmanager

import pytest
import pytorch_lightning as pl
import torch
from conftest import read
from outcomes import curves, same, science, weights

from convexp.config.compose import compose_config
from convexp.data import chunks
from convexp.execution import fit, torch_setup
from convexp.execution.torch_setup import VISIBLE, no_gpu_looked_for
from convexp.training import stepping
from convexp.training.callbacks import StopAfterSteps, early_stopping
from convexp.training.resuming import position
from convexp.training.stepping import needs_lightning
from convexp.training.tasks.classification import Classification
from convexp.training.tasks.task import Task
from convexp.training.trainer import one_device_trainer

TINY = ("trainer=cpu", "trainer.threads=1", "trainer.max_epochs=2", "data.train_size=400", "data.batch_size=8", "probes=none")
TINY += ("model.channels=[2]", "model.kernel_size=3", "logger=csv", "trainer.limit_val_batches=1")
KINDS = {
    "clipped norm": ["trainer.gradient_clip_val=0.05", "scheduler=one_cycle", "model.norm=batch", "data.shift.train=0.2"],
    "half precision": ["trainer.precision=bf16-mixed", "model=local", "model.norm=batch"],
    "clipped values, other lengths": [
        "trainer.gradient_clip_val=0.001",
        "trainer.gradient_clip_algorithm=value",
        "optimizer=sgd",
        "trainer.limit_train_batches=36",
        "trainer.val_check_interval=9",
        "trainer.max_steps=50",
        "ema=0.9",
    ],
}
OF_BATCHES = ("epoch_loop.batch_progress", "epoch_loop.state_dict", "epoch_loop.val_loop.batch_progress", "epoch_progress")


@pytest.fixture
def by_lightning(monkeypatch):
    """What is trained within has its steps made by Lightning, as in earlier versions."""

    @contextmanager
    def within():
        with monkeypatch.context() as patch:
            patch.setattr(fit, "needs_lightning", lambda *_: "the test says so")
            yield

    return within


def check_same(folder, other):
    assert science(read(folder)) == science(read(other))
    assert curves(folder) == curves(other)
    mine, theirs = weights(folder), weights(other)
    for key in ("state_dict", "optimizer_states", "lr_schedulers", "callbacks", "global_step", "epoch"):
        assert same(mine[key], theirs[key]), key
    for name in OF_BATCHES:
        assert mine["loops"]["fit_loop"][name] == theirs["loops"]["fit_loop"][name], name


@pytest.mark.integration
@pytest.mark.parametrize("kind", KINDS)
def test_both_give_the_same_bits_and_lightning_counts_the_same(kind, call, tmp_path, monkeypatch, by_lightning, interrupted_at):
    """A run that was begun by Lightning's steps, as by earlier versions, goes on with the task's own."""
    taken = []
    train_on = Task.train_on

    def noting(self, batches):
        taken.append(len(batches))
        return train_on(self, batches)

    settings = (*TINY, *KINDS[kind])
    monkeypatch.setattr(chunks, "SECONDS", 60.0)  # as on a fast machine
    monkeypatch.setattr(chunks, "MOST_BATCHES", 16)  # less than an epoch
    with monkeypatch.context() as patch:
        patch.setattr(Task, "train_on", noting)
        assert call("train", *settings, "hydra.run.dir=own").code == 0
    assert sum(taken) == read(tmp_path / "own")["metrics"]["steps"]
    assert max(taken) == (1 if "ema=0.9" in settings else 16)
    with by_lightning():
        assert call("train", *settings, "hydra.run.dir=theirs").code == 0
        with interrupted_at(1, 5):
            assert call("train", *settings, "hydra.run.dir=part").code == 130
    check_same(tmp_path / "own", tmp_path / "theirs")
    assert call("train", "resume=part").code == 0
    check_same(tmp_path / "part", tmp_path / "own")


@pytest.mark.integration
def test_a_chunk_that_ends_early_goes_on_and_an_epoch_is_begun_and_ended_by_lightning(
    call, tmp_path, monkeypatch, by_lightning, asked_to_stop
):
    train_on = Task.train_on
    assert call("train", *TINY, "hydra.run.dir=whole").code == 0
    with monkeypatch.context() as patch:
        patch.setattr(Task, "train_on", lambda self, batches: train_on(self, batches[:3]))
        assert call("train", *TINY, "hydra.run.dir=short").code == 0
    check_same(tmp_path / "short", tmp_path / "whole")
    with asked_to_stop(0, 40), by_lightning():
        assert call("train", *TINY, "hydra.run.dir=part").code == 130
    assert position(weights(tmp_path / "part")) == (0, 41)
    with asked_to_stop(1, 30):
        assert call("train", "resume=part").code == 130
    assert position(weights(tmp_path / "part")) == (1, 31)
    assert call("train", *TINY, "trainer.profiler=simple", "hydra.run.dir=part").code == 0  # by Lightning again
    check_same(tmp_path / "part", tmp_path / "whole")


def test_another_that_makes_the_steps_is_asked():
    task = Classification(torch.nn.Flatten())
    batches = [(torch.zeros(2, 1), torch.zeros(2))] * 3
    steps = [(torch.tensor(1.0), {}, 2)]
    asked = []

    def make(*arguments):
        asked.append(arguments)
        return steps

    task.trainer_of_steps = make
    assert task.train_on(batches) is steps
    assert asked == [(task, batches)]


class Stopping(pl.callbacks.EarlyStopping):
    pass


class ByEpoch(pl.Callback):
    def on_train_epoch_start(self, trainer, pl_module):
        next(pl_module.parameters()).requires_grad_(False)


class Own(Classification):
    def optimizer_step(self, *args, **kwargs):
        super().optimizer_step(*args, **kwargs)


class Logging(Classification):
    def loss(self, outputs, batch):
        self.log("train/largest", outputs.amax())
        return super().loss(outputs, batch)


class Measuring(Classification):
    def measure(self, outputs, batch):
        return super().measure(outputs, batch)


REASONS = {
    "several processes": {"devices": 2},
    "trainer.precision=16-mixed": {"precision": "16-mixed"},
    "accumulate_grad_batches": {"accumulate_grad_batches": 2},
    "overfit_batches": {"overfit_batches": 0.5},
    "profiler": {"profiler": "simple"},
}


def test_what_needs_lightning_is_said():
    settings, known = compose_config("trainer=cpu").trainer, Classification(torch.nn.Flatten())
    for said, change in REASONS.items():
        assert said in str(needs_lightning(settings.model_copy(update=change), known, Task, []))
    assert "the task has a optimizer_step" in str(needs_lightning(settings, Own(torch.nn.Flatten()), Task, []))
    assert "the task has a loss" in str(needs_lightning(settings, Logging(torch.nn.Flatten()), Task, []))
    assert needs_lightning(settings, Measuring(torch.nn.Flatten()), Task, []) is None
    assert "of its own" in str(needs_lightning(settings, pl.LightningModule(), Task, []))
    assert set(stepping.BATCH_HOOKS) <= {name for name in dir(pl.Callback) if name.startswith("on_")}  # of this Lightning
    assert set(stepping.HOOKS_OF_MODULE) <= set(dir(pl.LightningModule))


def test_only_callbacks_that_are_known_leave_the_steps_to_the_task():
    settings, task = compose_config("trainer=cpu").trainer, Classification(torch.nn.Flatten())
    within_steps = [
        pl.callbacks.StochasticWeightAveraging(swa_lrs=0.01),
        pl.callbacks.GradientAccumulationScheduler({0: 1, 2: 4}),
        pl.callbacks.BackboneFinetuning(),
        pl.callbacks.ModelPruning("l1_unstructured"),
        pl.callbacks.LambdaCallback(on_after_backward=print),
        pl.callbacks.LearningRateMonitor(),
        Stopping("val/loss"),
        ByEpoch(),
    ]
    for callback in within_steps:
        assert f"the callback {type(callback).__name__} may" in str(needs_lightning(settings, task, Task, [callback]))
    changed = StopAfterSteps(3)
    for callback in (pl.callbacks.EarlyStopping("val/loss"), early_stopping("val/loss", patience=3), changed):
        assert needs_lightning(settings, task, Task, [callback]) is None
    changed.on_before_zero_grad = print
    assert "StopAfterSteps" in str(needs_lightning(settings, task, Task, [changed]))
    task.on_after_backward = print
    assert "the task has a on_after_backward" in str(needs_lightning(settings, task, Task, []))


def test_callbacks_that_a_package_adds_to_every_trainer_are_seen(tmp_path, monkeypatch):
    """With a package that is made for the test; the Trainer has its callback, so that the group is the one Lightning reads."""
    settings, task = compose_config("trainer=cpu").trainer, Classification(torch.nn.Flatten())
    assert needs_lightning(settings, task, Task, []) is None
    package = tmp_path / "made_adding-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: made-adding\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(f"[pytorch_lightning.callbacks_factory]\nadded = {__name__}:ByEpoch\n")
    monkeypatch.syspath_prepend(tmp_path)
    trainer = one_device_trainer(compose_config("trainer=cpu"), logger=False)
    assert any(isinstance(each, ByEpoch) for each in trainer.callbacks)
    assert "entry point added" in str(needs_lightning(settings, task, Task, []))


@pytest.mark.parametrize(("before", "found", "within"), [(None, False, ""), (None, True, None), ("3", False, "3")])
def test_gpus_are_not_looked_for_where_there_are_none(before, found, within, monkeypatch):
    monkeypatch.setattr(torch_setup.torch.cuda, "is_available", lambda: found)
    monkeypatch.delenv(VISIBLE, raising=False)
    if before is not None:
        monkeypatch.setenv(VISIBLE, before)

    def interrupted():
        with no_gpu_looked_for():
            assert os.environ.get(VISIBLE) == within
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert os.environ.get(VISIBLE) == before
