"""The mean over several networks, as one network."""

import math
from collections.abc import Sequence
from functools import reduce
from typing import Literal

import torch
from torch import Tensor, nn

MeanOf = Literal["outputs", "probabilities"]


class Ensemble(nn.Module):
    """The mean over M networks, ``f(x) = 1/M sum_m f_m(x)``, from images ``(B, C, H, W)`` to outputs ``(B, K)``.

    With ``mean_of="probabilities"`` it is ``log(1/M sum_m softmax(f_m(x)))``, whose softmax is the mean of the members'
    probabilities. The mean over one network is that network, bit for bit, if it is of outputs. The outputs may have any shape;
    probabilities are over dimension 1.

    Source: the mean of outputs is that of Gerken & Kessel 2024, arXiv 2403.03103; that of probabilities of Lakshminarayanan et
    al. 2017, arXiv 1612.01474.

    Args:
        members: The networks.
        mean_of: What the mean is taken of: ``outputs`` or ``probabilities``.

    Raises:
        ValueError: If there are no members.
    """

    def __init__(self, members: Sequence[nn.Module], mean_of: MeanOf = "outputs") -> None:
        super().__init__()
        if not members:
            raise ValueError("an ensemble needs one member or more")
        self.members = nn.ModuleList(members)
        self.mean_of: MeanOf = mean_of

    def forward(self, images: Tensor) -> Tensor:
        """Return the mean for images ``(B, C, H, W)``, in the shape of a member's output."""
        outputs = (member(images) for member in self.members)
        if self.mean_of == "outputs":
            return reduce(Tensor.add, outputs) / len(self.members)
        return reduce(torch.logaddexp, (each.log_softmax(1) for each in outputs)) - math.log(len(self.members))
