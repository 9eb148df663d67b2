"""Optimizers beyond those of torch: Muon with AdamW for what Muon does not take, as one optimizer."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

Group = dict[str, Any]


class Together(Optimizer):
    """Several optimizers as one: each step is a step of all. Its groups of parameters are those of its parts.

    Args:
        parts: The optimizers, each of which has its own parameters.
    """

    def __init__(self, parts: Sequence[Optimizer]) -> None:
        self.parts = list(parts)
        super().__init__([group for part in self.parts for group in part.param_groups], {})
        self._link()

    def _link(self) -> None:
        """Have the parts' own groups as the groups, so that a schedule that changes a rate changes it there."""
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Compute the loss by ``closure`` if it is given, and let every part take a step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the states of the parts."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what ``state_dict`` returned.

        Raises:
            ValueError: if it is the state of other optimizers.
        """
        states: list[Any] = state_dict["parts"]
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)
        self._link()


def muon(
    params: Iterable[nn.Parameter] | Iterable[Group],
    lr: float,
    weight_decay: float = 0.0,
    momentum: float = 0.95,
    adamw_lr: float | None = None,
) -> Optimizer:
    """Make Muon for parameters with two dimensions, and AdamW for all others.

    A step of Muon moves a matrix along its momentum with all singular values near 1 (Jordan et al. 2024,
    https://kellerjordan.github.io/posts/muon/). The rates are scaled as torch does by default, so that Muon and AdamW take
    different ones.

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate.
        weight_decay: Decoupled weight decay.
        momentum: Factor of the previous steps.
        adamw_lr: Learning rate of AdamW; None for ``lr``. A group's own ``lr`` is that of both, unless it has an
            ``adamw_lr``, too.

    Raises:
        ValueError: if torch has no Muon, or no parameter has two dimensions.
    """
    kind: Any = getattr(torch.optim, "Muon", None)
    if kind is None:
        raise ValueError(f"needs torch 2.9 or later, which has Muon; this is torch {torch.__version__}")
    groups = as_groups(params)
    matrices = _select(groups, lambda parameter: parameter.ndim == 2)
    others = _select(groups, lambda parameter: parameter.ndim != 2)
    for group in matrices:
        group.pop("adamw_lr", None)
    for group in others:
        if (rate := group.pop("adamw_lr", None)) is not None:
            group["lr"] = rate
    if not matrices:
        raise ValueError("there is no parameter with two dimensions, and Muon trains matrices only; use optimizer=adamw")
    parts: list[Optimizer] = [kind(matrices, lr=lr, weight_decay=weight_decay, momentum=momentum)]
    if others:
        parts.append(AdamW(others, lr=lr if adamw_lr is None else adamw_lr, weight_decay=weight_decay))
    return Together(parts)


def as_groups(params: Iterable[Any]) -> list[Group]:
    """Parameters as torch's optimizers take them, as a list of groups."""
    listed = list(params)
    return listed if listed and isinstance(listed[0], dict) else [{"params": listed}]


def _select(groups: list[Group], chosen: Callable[[Tensor], bool]) -> list[Group]:
    """The groups with those parameters alone that are chosen; empty ones are left out."""
    found = [group | {"params": [parameter for parameter in group["params"] if chosen(parameter)]} for group in groups]
    return [group for group in found if group["params"]]
