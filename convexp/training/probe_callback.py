"""Probes in the course of a training: how invariance, locality and sharing are learned."""

import time
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from convexp.data import Dataset
from convexp.errors import one_line
from convexp.probes import Probe
from convexp.probes.runner import flatten_numbers, measure, probe_sample
from convexp.records.log import log
from convexp.tracking.tensorboard import TensorBoard
from convexp.training.module import Classifier


class ProbeCallback(Callback):
    """Measures before the first epoch and after every ``every``-th, on the weights as they are then.

    Logs ``by_epoch/<probe>/<number>`` and, in TensorBoard, the pictures. ``rows`` keeps ``{epoch, step, numbers}``, epoch 0
    being before the training; it is part of the checkpoints, so that a resumed run has them all. A probe that fails here is
    left to fail at the end, when the training is done.
    """

    def __init__(self, every: int, probes: Mapping[str, Probe], data: Dataset) -> None:
        self.every = every
        self.probes = {name: probe for name, probe in probes.items() if getattr(probe, "by_epoch", True)}
        self.data = data
        self.seconds = 0.0
        self.rows: list[dict[str, Any]] = []

    @property
    def state_key(self) -> str:
        """Name of its state in checkpoints, as they have had it from the first on."""
        return "Learning"

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self.rows = list(state_dict["rows"])

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The images, once; and the untrained network, unless the run goes on."""
        self.sample = probe_sample(self.data, self.probes, trainer.strategy.root_device)
        if not self.rows and trainer.current_epoch == 0:
            self._measure(trainer, pl_module, 0)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """After every ``every``-th epoch."""
        done = trainer.current_epoch + 1
        if done % self.every == 0:
            self._measure(trainer, pl_module, done)

    def _measure(self, trainer: pl.Trainer, module: pl.LightningModule, epoch: int) -> None:
        assert isinstance(module, Classifier)
        start, step = time.perf_counter(), max(0, trainer.global_step - 1)  # as Lightning counts what it logs
        results: dict[str, dict[str, Any]] = {}
        for name, probe in self.probes.items():
            try:
                results[name], pictures = measure(name, probe, module.network, self.sample)
            except Exception as error:
                log.warning("epoch %d: probes.%s: %s", epoch, name, one_line(error))
                continue
            for logger in trainer.loggers:
                if isinstance(logger, TensorBoard):
                    for picture, pixels in pictures.items():
                        logger.picture(f"by_epoch/{picture}", pixels, step)
        numbers = flatten_numbers(results)
        self.rows.append({"epoch": epoch, "step": trainer.global_step, "numbers": numbers})
        for logger in trainer.loggers:
            logger.log_metrics({f"by_epoch/{name}": value for name, value in numbers.items()}, step)
        self.seconds += time.perf_counter() - start
