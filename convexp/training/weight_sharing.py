"""Weight-sharing regularisation: after each step the weights of a layer are pulled together (Shakerinava et al. 2024)."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from scipy.optimize import isotonic_regression
from torch import Tensor, nn
from torch.optim import SGD

from convexp.training.optimizers import Group


def sharing_penalty(weights: Tensor) -> Tensor:
    """Return ``R(w) = 1/(d-1) sum_{i>j} |w_i - w_j|`` of all d numbers of ``weights``, a scalar; 0 of a single number.

    Source: Shakerinava et al. 2024, arXiv 2311.03096, abstract.
    """
    ordered = weights.flatten().sort().values
    return -(_velocities(len(ordered), ordered) * ordered).sum()


def pull_together(weights: Tensor, t: float) -> Tensor:
    """Return ``prox_{tR}(w) = argmin_x 1/2 ||x - w||² + t R(x)``, of the shape of ``weights``; R as in ``sharing_penalty``.

    In the order of the weights R is linear, so that the k-th smallest moves by ``t (d - 1 - 2k) / (d - 1)``, k from 0; isotonic
    regression then joins those that would pass each other. It takes a sort, on the CPU and in double precision.

    Source: Shakerinava et al. 2024, arXiv 2311.03096, and their code (src/utils/train_util.py), which has other algorithms.
    """
    values = weights.detach().flatten().to("cpu", torch.float64)
    order = torch.from_numpy(np.argsort(values.numpy()))  # twice as fast as torch's
    moved = values[order] + t * _velocities(len(values), values)
    pulled = torch.empty_like(values)
    pulled[order] = torch.from_numpy(isotonic_regression(moved.numpy()).x)
    return pulled.to(weights).view_as(weights)


def _velocities(d: int, like: Tensor) -> Tensor:
    """Minus the gradient of R in the order of the weights, ``(d,)``: from 1 for the smallest to -1 for the largest."""
    return torch.linspace(1, -1, d, dtype=like.dtype, device=like.device) if d > 1 else like.new_zeros(d)


class WeightSharingSGD(SGD):
    """Proximal gradient descent on the loss and ``strength R(w)``, w the numbers of one parameter (arXiv 2311.03096).

    Each step is one of SGD, and then ``w <- prox_{lr strength R}(w)`` for each parameter by itself (``pull_together``): all
    weights of a layer are one vector, and so are its biases, as in the paper's published code (src/utils/train_util.py).
    With ``strength = 0`` it is SGD. A parameter without gradient is left as it is.

    Args:
        params: Parameters, or groups of them, each with a ``strength`` of its own if it names one.
        lr: Learning rate.
        strength: Factor of the penalty R, 0 or more.
        momentum: Factor of the previous step that is added to each step.
        weight_decay: Factor of the L2 penalty that is added to the gradient.

    Raises:
        ValueError: if a number is negative.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter] | Iterable[Group],
        lr: float,
        strength: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, momentum=momentum, weight_decay=weight_decay)
        self.defaults["strength"] = strength
        for group in self.param_groups:
            if group.setdefault("strength", strength) < 0:
                raise ValueError(f"strength={group['strength']}: should be 0 or more")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Compute the loss by ``closure`` if it is given, and take a step."""
        loss = super().step(closure)
        for group in self.param_groups:
            for weight in group["params"]:
                if group["strength"] and weight.grad is not None:
                    weight.copy_(pull_together(weight, group["lr"] * group["strength"]))
        return loss
