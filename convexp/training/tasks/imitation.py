"""Imitation: regression of what a fixed layer computes, whose kernels are mixtures of a few that are drawn at random."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from convexp.data.rng import generator
from convexp.layers import LowRankLocallyConnected1d
from convexp.training.tasks.task import MakeOptimizer, MakeScheduler, Task, TaskBatch

GREY = 128  # grey level of the value 0


class Imitation(Task):
    """Trains a network to compute ``y[i] = sum_a V[i,a] x[i+a]``, a locally connected layer of rank R on a ring.

    The kernel at a location is a mixture ``V[i,a] = sum_r s_r[i] V_r[a]``, ``s = softmax(z)`` over r, with V_r and z standard
    normal. Of rank 1 it is a convolution. V is scaled such that ``sum_i,a V[i,a]^2 = L``: for independent pixels of variance 1
    the outputs 0 have a loss of 1. The loss is ``mean_i (o[i] - y[i])^2``, the mean over signals; it is the only metric.

    Source: the synthetic problems rank1, rank2 and rank5 of A. Zhou, T. Knowles & C. Finn 2020, Meta-Learning Symmetries by
    Reparameterization (arXiv 2007.02933), as their code draws them. They learn from many such layers, and here it is one.

    Args:
        network: Network from signals ``(B, 1, L)``, 0 to 255, to outputs ``(B, L)``.
        make_optimizer: Makes the optimizer from the network's parameters; None for a module that is only evaluated.
        make_scheduler: Makes the learning-rate schedule from the optimizer and ``total_steps``; None for a constant rate.
        shape: Shape of a signal, [1, L].
        kernel_size: Number of taps of a kernel, odd.
        rank: Number R of kernels that are mixed.
        levels: Grey levels of a pixel that are 1; 128 is 0.
        seed: Seed of the layer.
    """

    metrics: ClassVar[tuple[str, ...]] = ("loss",)

    def __init__(
        self,
        network: nn.Module,
        make_optimizer: MakeOptimizer | None = None,
        make_scheduler: MakeScheduler | None = None,
        shape: Sequence[int] = (1, 64),
        kernel_size: int = 5,
        rank: int = 1,
        levels: float = 25.4,
        seed: int = 0,
    ) -> None:
        super().__init__(network, make_optimizer, make_scheduler)
        self.levels = levels
        self.matrix: Tensor
        self.register_buffer("matrix", random_layer(shape[-1], kernel_size, rank, seed), persistent=False)

    def targets_of(self, signals: Tensor) -> Tensor:
        """Return what the layer computes, ``(B, L)``, for signals ``(B, 1, L)``, 0 to 255; never in mixed precision."""
        with torch.autocast(signals.device.type, enabled=False):
            return (signals.flatten(1).to(self.matrix.dtype) - GREY) / self.levels @ self.matrix.T

    def losses(self, outputs: Tensor, batch: TaskBatch) -> Tensor:
        """Return the mean squared error of each signal, ``(B,)``."""
        return (outputs - self.targets_of(batch[0])).square().mean(1)

    def loss(self, outputs: Tensor, batch: TaskBatch) -> Tensor:
        """Return the mean squared error."""
        return self.losses(outputs, batch).mean()

    def measure(self, outputs: Tensor, batch: TaskBatch) -> dict[str, Tensor]:
        """Return the squared errors."""
        return {"loss": self.losses(outputs.float(), batch)}


def random_layer(length: int, kernel_size: int, rank: int, seed: int) -> Tensor:
    """Draw the layer that is imitated, as a matrix ``(L, L)`` with a mean of 1 of the squared lengths of its rows."""
    layer = LowRankLocallyConnected1d(
        1, 1, kernel_size, length, padding="same", padding_mode="circular", bias=False, rank=rank, softmax=True
    )
    drawn = generator("imitation", seed)
    with torch.no_grad():
        for parameter in (layer.weight, layer.combination):
            parameter.copy_(torch.randn(parameter.shape, generator=drawn))
        matrix = layer.dense_weight().reshape(length, length)
        return matrix * (length**0.5 / matrix.norm())
