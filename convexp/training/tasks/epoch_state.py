"""What the batches of an unfinished epoch have given, as a checkpoint holds it."""

from typing import Any

import torch
from torch import Tensor

from convexp.training.over_processes import Step

KEY = "unfinished_epoch"


def pack(steps: list[Step]) -> dict[str, Any]:
    """Stack the values of all batches: a file with a tensor for each of them would take long to write."""
    losses, sums, sizes = zip(*steps, strict=True)
    return {
        "losses": torch.stack(losses),
        "sums": {name: torch.stack([each[name] for each in sums]) for name in sums[0]},
        "sizes": torch.tensor([float(size) for size in sizes], dtype=torch.float64),
    }


def unpack(state: dict[str, Any], device: torch.device) -> list[Step]:
    """Return the steps that were packed, on ``device``; the numbers of samples stay on the CPU."""
    losses = state["losses"].to(device).unbind()
    sums = {name: values.to(device).unbind() for name, values in state["sums"].items()}
    return [
        (loss, {name: values[index] for name, values in sums.items()}, size)
        for index, (loss, size) in enumerate(zip(losses, state["sizes"].unbind(), strict=True))
    ]


def has_batches(checkpoint: dict[str, Any], count: int) -> bool:
    """Whether ``checkpoint``, which may come from anybody, holds ``count`` steps."""
    try:
        state = checkpoint[KEY]
        tensors = [state["losses"], state["sizes"], *state["sums"].values()]
        return all(isinstance(each, Tensor) and each.shape == (count,) for each in tensors)
    except (LookupError, TypeError, AttributeError):
        return False
