"""What a task logs itself is what Lightning would have logged for it."""

import warnings

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from convexp.config.compose import compose_config
from convexp.training.checkpoints import Checkpoints
from convexp.training.tasks.classification import Classification
from convexp.training.trainer import one_device_trainer


class Kept(Logger):
    """Keeps what is logged, by step."""

    name = version = "kept"

    def __init__(self):
        super().__init__()
        self.rows, self.saved = {}, {}

    def log_hyperparams(self, *_, **__):
        pass

    def log_metrics(self, metrics, step=None):
        row = self.rows.setdefault(step, {})
        row |= metrics

    def save(self):
        self.saved = {step: dict(row) for step, row in self.rows.items()}


class Seen(pl.Callback):
    """Notes what callbacks and the progress bar see, and what a checkpoint of this moment finds in the logs."""

    def __init__(self):
        self.noted = []

    def note(self, trainer):
        seen = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        logged = {name: float(value) for name, value in sorted(trainer.logged_metrics.items())}
        types = {value.dtype for value in trainer.callback_metrics.values()}
        self.noted.append((trainer.global_step, seen, logged, types, dict(trainer.progress_bar_metrics)))

    def on_validation_end(self, trainer, pl_module):
        self.note(trainer)

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if batch_idx == 0:
            self.note(trainer)
            assert trainer.logger.saved == trainer.logger.rows


def trained(automatic, folder, interval):
    torch.manual_seed(1)
    labels = torch.arange(28) % 4
    data = TensorDataset(torch.randn(28, 5) + labels[:, None], labels)
    task = Classification(nn.Linear(5, 4), lambda parameters: torch.optim.SGD(parameters, lr=0.1))
    task.automatic_optimization = automatic
    seen, logger = Seen(), Kept()
    trainer = one_device_trainer(
        compose_config("trainer=cpu"),
        max_epochs=2,
        logger=logger,
        callbacks=[seen, Checkpoints(folder / "checkpoints", "val/acc", "max", seconds=0)],
        val_check_interval=interval,
        enable_progress_bar=False,
        default_root_dir=folder,
    )
    with warnings.catch_warnings(action="ignore"):  # Lightning's, of what it finds on this machine
        trainer.fit(task, DataLoader(data, 4), DataLoader(data, 5))
    return logger, seen, {name: float(value) for name, value in trainer.callback_metrics.items()}


@pytest.mark.integration
@pytest.mark.parametrize("interval", [1.0, 3], ids=["once", "within epochs"])
def test_loggers_callbacks_and_progress_bar_get_what_lightning_gives_them(tmp_path, interval):
    (own, seen_own, last_own), (by_lightning, seen, last) = (trained(made, tmp_path, interval) for made in (False, True))
    assert own.rows == by_lightning.rows == own.saved
    assert [list(row) for row in own.rows.values()] == [list(row) for row in by_lightning.rows.values()]  # columns of files
    assert seen_own.noted == seen.noted
    assert last_own == last
    assert {"val/loss", "val/acc", "train/loss", "train/acc", "train/lr"} == set(last)
