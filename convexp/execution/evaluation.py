"""Validation and test metrics of a network."""

from pathlib import Path

import pytorch_lightning as pl
import torch

from convexp.config import Config
from convexp.data import Dataset, loader
from convexp.training.module import Classifier
from convexp.training.trainer import one_device_trainer


def evaluate(module: Classifier, data: Dataset, config: Config) -> dict[str, float]:
    """Return ``val/loss``, ``val/acc``, ``test/loss`` and ``test/acc`` of the module with its current weights."""
    trainer = evaluation_trainer(config)
    metrics: dict[str, float] = {}
    metrics |= trainer.validate(module, loader(data.val, config.data.eval_batch_size), verbose=False)[0]
    metrics |= trainer.test(module, loader(data.test, config.data.eval_batch_size), verbose=False)[0]
    return {name: float(value) for name, value in metrics.items()}


def evaluation_trainer(config: Config) -> pl.Trainer:
    """Make a Trainer that evaluates on the device and in the precision of the run, and writes nothing."""
    return one_device_trainer(config, logger=False, enable_checkpointing=False, enable_progress_bar=False)


def load_weights(module: Classifier, checkpoint: Path) -> None:
    """Load the weights of a checkpoint into ``module``, on whatever device it is."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    module.load_state_dict(state)
