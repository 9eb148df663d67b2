"""Validation and test metrics of a network."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from convexp.config import Config
from convexp.data import Dataset, loader
from convexp.training.relax import load_state
from convexp.training.trainer import one_device_trainer


def evaluate(module: pl.LightningModule, data: Dataset, config: Config) -> dict[str, float]:
    """Return the metrics that validation and test log, such as ``val/loss`` and ``test/acc``, with the current weights."""
    trainer, data = evaluation_trainer(config), with_targets_of(module, data)
    metrics: dict[str, float] = {}
    metrics |= trainer.validate(module, loader(data.val, config.data.eval_batch_size), verbose=False)[0]
    metrics |= trainer.test(module, loader(data.test, config.data.eval_batch_size), verbose=False)[0]
    return {name: float(value) for name, value in metrics.items()}


def with_targets_of(module: pl.LightningModule, data: Dataset) -> Dataset:
    """Return the data with batches of images and what the module wants beside them, its attribute ``targets``.

    Raises:
        ConfigError: if the data does not have it.
    """
    return data.with_targets(getattr(module, "targets", "labels"))


def evaluation_trainer(config: Config, **settings: Any) -> pl.Trainer:
    """Make a Trainer on the device and in the precision of the run that writes nothing; ``settings`` are further arguments."""
    return one_device_trainer(config, logger=False, enable_checkpointing=False, enable_progress_bar=False, **settings)


def load_weights(module: pl.LightningModule, checkpoint: Path) -> None:
    """Load the weights of a checkpoint into ``module``, on whatever device it is."""
    load_state(module, torch.load(checkpoint, map_location="cpu", weights_only=True))
