"""Probes during a training, which show how invariance, locality and weight sharing are learned."""

import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch import nn

from convexp.data import Dataset
from convexp.errors import one_line
from convexp.machine import interruption
from convexp.probes import Probe
from convexp.probes.sample import Sample
from convexp.records.log import log
from convexp.records.record import ProbeRecord
from convexp.tracking.tensorboard import boards
from convexp.training.ema import MovingAverage
from convexp.training.probe_runner import flatten_numbers, measure, probe_sample


class ProbeCallback(Callback):
    """Measures the network before the first epoch and after every ``every``-th epoch.

    It logs ``by_epoch/<probe>/<number>`` and, in TensorBoard, the pictures. If a probe fails, a warning is logged and the
    training continues; the probe is measured again after the training, and fails the run then.

    Args:
        every: Number of epochs from one measurement to the next.
        probes: Probes by name; those with ``by_epoch = False`` are left out.
        network: The network that is trained.
        data: Data set, from whose test images the sample is taken.
        scores: Whether the network's outputs are scores of the classes.
        averaging: Moving average of the weights, which is measured in place of the weights themselves; None if there is none.

    Attributes:
        rows: One mapping ``{epoch, step, numbers}`` for each measurement, with epoch 0 before the training. The rows are saved
            in the checkpoints, so that a resumed run has all of them.
        seconds: Time that the measurements took, in seconds.
    """

    def __init__(
        self,
        every: int,
        probes: Mapping[str, Probe],
        network: nn.Module,
        data: Dataset,
        scores: bool,
        averaging: MovingAverage | None = None,
    ) -> None:
        self.every = every
        self.probes = {name: probe for name, probe in probes.items() if getattr(probe, "by_epoch", True)}
        self.network = network
        self.data = data
        self.scores = scores
        self.averaging = averaging
        self.rows: list[dict[str, Any]] = []
        self.seconds = 0.0
        self._sample: Sample | None = None

    @property
    def state_key(self) -> str:
        """Key of the callback's state in checkpoints, which is an earlier name of this class."""
        return "Learning"

    def state_dict(self) -> dict[str, Any]:
        """Return the rows."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the rows."""
        self.rows = list(state_dict["rows"])

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the sample, and measure the untrained network unless the run is resumed."""
        self._sample = probe_sample(self.data, self.probes, trainer.strategy.root_device, self.scores)
        if not self.rows and trainer.current_epoch == 0:
            with interruption.at_once():  # there is nothing to save yet; later the epoch is to be saved, after the probes
                self._measure(trainer, epoch=0)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Measure the network if it is time to."""
        epoch = trainer.current_epoch + 1
        if epoch % self.every == 0:
            with self.averaging.applied_to(pl_module) if self.averaging else nullcontext():
                self._measure(trainer, epoch)

    def _measure(self, trainer: pl.Trainer, epoch: int) -> None:
        assert self._sample is not None
        start, step = time.perf_counter(), max(0, trainer.global_step - 1)  # the step that Lightning logs the epoch at
        results: dict[str, ProbeRecord] = {}
        for name, probe in self.probes.items():
            try:
                results[name], pictures = measure(name, probe, self.network, self._sample)
            except Exception as error:
                log.warning("epoch %d: probes.%s: %s", epoch, name, one_line(error))
                continue
            for board in boards(trainer.loggers):
                for picture, pixels in pictures.items():
                    board.picture(f"by_epoch/{picture}", pixels, step)
        numbers = flatten_numbers(results)
        self.rows.append({"epoch": epoch, "step": trainer.global_step, "numbers": numbers})
        for logger in trainer.loggers:
            logger.log_metrics({f"by_epoch/{name}": value for name, value in numbers.items()}, step)
        self.seconds += time.perf_counter() - start
