"""What the kernels in C are called with: images as they read them, numbers and threads."""

import ctypes
import math
from typing import Any

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.layers.call_geometry import Geometry
from convexp.layers.layout import batch_last, new_image
from convexp.layers.native.build import library
from convexp.layers.native.places import turned

WORTH_A_THREAD = 1_000_000
"""Multiply-adds, or values that are copied."""


def call(name: str, *arguments: Tensor | int | None) -> None:
    """Call a function of the library with the addresses of tensors and with numbers."""
    made: list[Any] = [
        ctypes.c_int64(each) if isinstance(each, int) else None if each is None else ctypes.c_void_p(each.data_ptr())
        for each in arguments
    ]
    getattr(library(), name)(*made)


def threads(work: int) -> int:
    """Return how many threads ``work`` is worth: at most as many as torch uses."""
    return max(1, min(torch.get_num_threads(), work // WORTH_A_THREAD))


def threads_of(g: Geometry) -> int:
    """Return how many threads an operation is worth."""
    return threads(g.batch * math.prod(g.weight_shape))


def padded(x: Tensor, size: Size, padding: Size) -> Tensor:
    """Return an image (B, C, H, W) with its border of zeros, as (Hp, Wp, C, B) in memory."""
    image, batch, channels = batch_last(x), x.shape[0], x.shape[1]
    if not any(padding) and image.is_contiguous():
        return image
    outer = tuple(n + 2 * p for n, p in zip(size, padding, strict=True))
    made = (x.new_zeros if any(padding) else x.new_empty)((*outer, channels, batch))
    if x.is_contiguous() and not image.is_contiguous():
        begin, to = turned(channels, size, padding, batch)
        steps = (x.stride(0), channels * batch, batch, size[-1])
        call("transpose", x, made, begin, to, *steps, len(begin), threads(x.numel()))
    else:
        _inside(made, size, padding).copy_(image)
    return made


def units(y: Tensor) -> Tensor:
    """Return an output (B, O, H', W') as (H', W', O, B) in memory."""
    return padded(y, tuple(y.shape[2:]), (0,) * (y.dim() - 2))


def offsets_of(bias: Tensor | None, g: Geometry) -> Tensor | None:
    """Return a bias, of each unit or of each channel, as (H', W', O) in memory."""
    return None if bias is None else bias.float().expand(g.out_channels, *g.output_size).movedim(0, -1).contiguous()


def without_border(image: Tensor, g: Geometry) -> Tensor:
    """Return a padded image (Hp, Wp, C, B) as an input, (B, C, H, W) stored as (H, W, C, B)."""
    made = new_image(image, (g.batch, g.in_channels, *g.input_size))
    batch_last(made).copy_(_inside(image, g.input_size, g.padding))
    return made


def _inside(image: Tensor, size: Size, padding: Size) -> Tensor:
    """A padded image (Hp, Wp, C, B) without its border, (H, W, C, B): a view."""
    return image[tuple(slice(p, p + n) for p, n in zip(padding, size, strict=True))]
