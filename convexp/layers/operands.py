"""The tensors that a layer works on: their types and devices, checked; a batch where there was none; the border."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.layers.arguments import PAD_MODE


def pad(x: Tensor, padding: Sequence[int], mode: str) -> Tensor:
    """Add a border of ``padding`` = (rows, columns) pixels on each side: (B, C, H, W) -> (B, C, H + 2 rows, W + 2 columns)."""
    if not any(padding):
        return x
    return F.pad(x, [p for p in reversed(padding) for _ in range(2)], mode=PAD_MODE[mode])


def working_type(x: Tensor) -> torch.dtype:
    """Return the type in which ``x`` is worked on: autocast's where it is on (it leaves float64 alone), else its own."""
    device = x.device.type
    if device == "meta" or x.dtype == torch.float64 or not torch.is_autocast_enabled(device):
        return x.dtype
    return torch.get_autocast_dtype(device)


def check_operands(x: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    """Check that the operands are floating point, of one type (under autocast, worked on in one) and on one device.

    Raises:
        TypeError: If one is not a tensor, not floating point, or of another type than the weight.
        ValueError: If one is on another device than the weight.
    """
    for name, tensor in (("weight", weight), ("input", x), ("bias", bias)):
        if tensor is None and name == "bias":
            continue
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} of type {type(tensor).__name__}: should be a torch.Tensor")
        if not tensor.is_floating_point():
            raise TypeError(f"{name} of dtype {tensor.dtype}: should be floating point")
        if tensor.dtype != weight.dtype and working_type(tensor) != working_type(weight):
            raise TypeError(f"{name} of dtype {tensor.dtype}: should be the weight's, {weight.dtype}")
        if tensor.device != weight.device:
            raise ValueError(f"{name} on device {tensor.device}: should be on the weight's, {weight.device}")


def with_batch(x: Tensor, weight: Tensor, bias: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    """Return ``x`` as a batch, (B, *shape), after checking that it fits.

    Raises:
        TypeError, ValueError: If ``x`` has another shape or type than the layer, or is on another device.
    """
    check_operands(x, weight, bias)
    traced = torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]  sizes are tensors then, and not compared
    fits = traced or x.shape[-len(shape) :] == shape
    if not fits or x.dim() not in (len(shape), len(shape) + 1):
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"input of shape {tuple(x.shape)}: should be (B, {wanted}), or ({wanted}) without a batch")
    return x.unsqueeze(0) if x.dim() == len(shape) else x


def as_given(y: Tensor, x: Tensor) -> Tensor:
    """Return the output ``y`` (B, ...), or its only image if the input ``x`` came without a batch."""
    return y if y.dim() == x.dim() else y.squeeze(0)
