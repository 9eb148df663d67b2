"""When checkpoints are written."""

import warnings

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from convexp.config.compose import compose_config
from convexp.machine import interruption
from convexp.training import checkpoints
from convexp.training.checkpoints import Checkpoints
from convexp.training.tasks.classification import Classification
from convexp.training.trainer import one_device_trainer

EPOCHS, BATCHES = 8, 3


class Clock(pl.Callback):
    """Lets each epoch take 0.4 s, and sets the monitored metric."""

    def __init__(self, values):
        self.values, self.now = values, 0.0

    def monotonic(self):
        return self.now

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.now += 0.4 / BATCHES

    def on_validation_end(self, trainer, pl_module):
        trainer.callback_metrics["score"] = torch.tensor(self.values[trainer.current_epoch])


class Written(pl.Callback):
    """Notes after which epochs each file was written."""

    def __init__(self, folder):
        self.folder, self.seen, self.epochs = folder, {}, {"last.ckpt": [], "best.ckpt": []}

    def look(self, epochs):
        for file in self.folder.glob("*.ckpt"):
            if self.seen.get(file.name) != (now := file.stat().st_mtime_ns):
                self.seen[file.name] = now
                self.epochs[file.name].append(epochs)
                state = torch.load(file, weights_only=True)
                assert state["epoch"] + 1 == epochs
                assert state["global_step"] == epochs * BATCHES

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.look(trainer.current_epoch)


def trained(folder, monkeypatch, values, callbacks=(), seconds=checkpoints.SECONDS):
    """The epochs, counted from 1, after which the files were written."""
    clock, written = Clock(values), Written(folder / "checkpoints")
    monkeypatch.setattr(checkpoints, "time", clock)
    data = DataLoader(TensorDataset(torch.randn(6, 5), torch.arange(6) % 2), 2)
    saving = Checkpoints(folder / "checkpoints", "score", "max", seconds)
    trainer = one_device_trainer(
        compose_config("trainer=cpu"),
        max_epochs=EPOCHS,
        logger=False,
        callbacks=[clock, *callbacks, saving, written],
        enable_progress_bar=False,
        default_root_dir=folder,
    )
    with warnings.catch_warnings(action="ignore"):  # Lightning's, of what it finds on this machine
        task = Classification(nn.Linear(5, 2), lambda parameters: torch.optim.SGD(parameters, lr=0.1))
        trainer.fit(task, data, data)
    written.look(trainer.current_epoch)
    return written.epochs


FALLING = [-float(epoch) for epoch in range(EPOCHS)]


@pytest.mark.integration
def test_short_epochs_are_saved_at_most_once_a_second_and_the_last_one(tmp_path, monkeypatch):
    assert trained(tmp_path, monkeypatch, FALLING) == {"last.ckpt": [1, 4, 7, 8], "best.ckpt": [1]}


@pytest.mark.integration
def test_an_epoch_that_is_the_best_is_saved_as_the_last_too(tmp_path, monkeypatch):
    """The next second begins then."""
    values = [0.0, -1.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0]
    assert trained(tmp_path, monkeypatch, values) == {"last.ckpt": [1, 3, 6, 8], "best.ckpt": [1, 3, 6]}


@pytest.mark.integration
def test_every_epoch_is_saved_where_runs_may_be_pruned(tmp_path, monkeypatch):
    assert trained(tmp_path, monkeypatch, FALLING, seconds=0)["last.ckpt"] == [*range(1, EPOCHS + 1)]


class InSecondEpoch(pl.Callback):
    """Does something at the end of the second epoch, and something before the third."""

    def __init__(self, do, undo=lambda: None):
        self.do, self.undo = do, undo

    def on_train_epoch_end(self, trainer, pl_module):
        if trainer.current_epoch == 1:
            self.do(trainer)

    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch == 2:
            self.undo()


@pytest.mark.integration
def test_an_epoch_after_which_the_training_ends_is_saved(tmp_path, monkeypatch):
    stop = InSecondEpoch(lambda trainer: setattr(trainer, "should_stop", True))
    assert trained(tmp_path, monkeypatch, FALLING, [stop])["last.ckpt"] == [1, 2]


@pytest.mark.integration
def test_an_epoch_in_which_it_is_asked_to_stop_is_saved(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        asked = InSecondEpoch(lambda _: patch.setattr(interruption, "requested", lambda: True), patch.undo)
        assert trained(tmp_path, monkeypatch, FALLING, [asked])["last.ckpt"] == [1, 2, 5, 8]
