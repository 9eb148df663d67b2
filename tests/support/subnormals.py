"""Counts subnormal numbers, which torch may take for zero."""

from pathlib import Path

import torch


def subnormals(x: torch.Tensor) -> int:
    """Count them without arithmetic: no bit of the exponent is set, and one of the others is."""
    bits = x.flatten().view(torch.int32)
    return int(((bits & 0x7F800000 == 0) & (bits & 0x007FFFFF != 0)).sum())


def averages(folder: Path) -> torch.Tensor:
    """Return Adam's averages of the gradients at the end of a run."""
    checkpoint = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    return torch.cat([state["exp_avg"].flatten() for state in checkpoint["optimizer_states"][0]["state"].values()])
