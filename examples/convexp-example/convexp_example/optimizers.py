"""An optimizer: any ``torch.optim.Optimizer``."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn


class SignDescent(torch.optim.Optimizer):
    """Every parameter moves by the learning rate against the sign of its gradient.

    Args:
        params: The parameters. convexp passes them.
        lr: Learning rate.
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float = 1e-3) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Take one step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.sub_(group["lr"] * parameter.grad.sign())
        return loss
