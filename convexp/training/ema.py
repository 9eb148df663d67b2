"""The exponential moving average of the weights, which is validated, tested and kept in place of the last weights."""

from collections.abc import Generator
from contextlib import contextmanager

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import WeightAveraging
from torch import Tensor


class MovingAverage(WeightAveraging):
    """Averages weights and buffers over the steps: ``a <- decay a + (1 - decay) w``, from the weights after the first step.

    Validation, ``best.ckpt`` and the test see the average; the training goes on with the weights themselves, which the
    checkpoints hold as well. (Polyak & Juditsky 1992; the exponential form as in Tarvainen & Valpola 2017, arXiv 1703.01780.)

    Args:
        decay: Weight of the average so far, at least 0 and below 1; 0 keeps the last weights.
    """

    def __init__(self, decay: float) -> None:
        def average(averaged: Tensor, current: Tensor, _steps: Tensor | int) -> Tensor:
            # lerp leaves what is equal as it is, to the last bit, and is exact for decay = 0. Counts are not averaged.
            return torch.lerp(averaged, current, 1 - decay) if averaged.is_floating_point() else current

        super().__init__(use_buffers=True, avg_fn=average)

    @contextmanager
    def applied_to(self, module: pl.LightningModule) -> Generator[None]:
        """A context in which the module has the averaged weights."""
        if self._average_model is None:
            yield
            return
        self._swap_models(module)
        try:
            yield
        finally:
            self._swap_models(module)
