"""β-LASSO: gradient descent that sets small weights to zero, by which a dense layer becomes local (Neyshabur 2020)."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from convexp.training.optimizers import Group


class BetaLasso(Optimizer):
    """Stochastic gradient descent with an L1 penalty and a threshold (Neyshabur 2020, arXiv 2007.13657, algorithm 1).

    Each step is ``w <- w - lr (g + l1 sign(w))``, then ``w <- w 1[|w| >= beta l1]``, g the gradient. There is no momentum.
    With ``beta = 0`` it is SGD with the gradient of ``l1 sum |w|``, and with ``l1 = 0`` plain SGD. A weight at zero stays there
    unless one step moves it by ``beta l1`` or more. A parameter without gradient is left as it is.

    Args:
        params: Parameters, or groups of them, each with ``lr``, ``l1`` and ``beta`` of its own if it names them.
        lr: Learning rate.
        l1: Factor of the L1 penalty, λ in the paper, 0 or more.
        beta: Weights below ``beta * l1`` become zero, 0 or more; 50 in the paper.

    Raises:
        ValueError: if a number is negative.
    """

    def __init__(
        self, params: Iterable[nn.Parameter] | Iterable[Group], lr: float, l1: float = 1e-5, beta: float = 50.0
    ) -> None:
        super().__init__(params, {"lr": lr, "l1": l1, "beta": beta})
        for group in self.param_groups:
            for name in ("lr", "l1", "beta"):
                if group[name] < 0:
                    raise ValueError(f"{name}={group[name]}: should be 0 or more")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Compute the loss by ``closure`` if it is given, and take a step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            lr, l1, threshold = group["lr"], group["l1"], group["beta"] * group["l1"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                weight.sub_(weight.grad.add(weight.sign(), alpha=l1), alpha=lr)
                if threshold:
                    weight.mul_(weight.abs() >= threshold)
        return loss
