"""Where the windows of units lie in a padded image, as tables of offsets that the kernels read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.layers.call_geometry import Geometry


@dataclass(frozen=True)
class Places:
    """Offsets in numbers of values, int64. Units are locations times groups, N = H'*W'*G, as in the output.

    Attributes:
        at: Of the window of each unit in the image (Hp, Wp, C, B), (N,).
        tap: Of each input of a window, (K,), in the order of the weights of a unit, (k2, k1, C/G).
        run: Of each tap of a window in the image with the channels innermost, (Hp, Wp, G, B, C/G): (k2*k1,).
        place: Of the images of a batch there, (B,).
        output: Of the outputs of a unit in the output, (O/G,).
        row: Of the outputs of a unit in its weights, and of the images of a batch in windows that are copied, (max(O/G, B),).
    """

    at: Tensor
    tap: Tensor
    run: Tensor
    place: Tensor
    output: Tensor
    row: Tensor


@lru_cache(maxsize=256)
def places(g: Geometry) -> Places:
    """Return the tables of a geometry."""
    pixels = [step * g.in_channels * g.batch for step in _steps(g.padded_size)]
    between = (s * pixel for s, pixel in zip(g.stride, pixels, strict=True))
    *rows, column = ((k, d * pixel) for k, d, pixel in zip(g.kernel_size, g.dilation, pixels, strict=True))
    kernel, apart = zip(column, *rows, strict=True)
    return Places(
        _offsets((*g.output_size, g.groups), (*between, g.group_channels * g.batch)),
        _offsets((*kernel, g.group_channels), (*apart, g.batch)),
        _offsets(kernel, apart),
        torch.arange(g.batch) * g.group_channels,
        torch.arange(g.unit_channels) * g.batch,
        torch.arange(max(g.unit_channels, g.batch)) * g.taps,
    )


@lru_cache(maxsize=256)
def turned(channels: int, size: Size, padding: Size, batch: int) -> tuple[Tensor, Tensor]:
    """Where the rows of pixels of each channel begin in an image (C, H, W), and in the padded image (Hp, Wp, C, B)."""
    rows = (*size[:-1], channels)
    pixels = [step * channels * batch for step in _steps(tuple(n + 2 * p for n, p in zip(size, padding, strict=True)))]
    border = sum(p * pixel for p, pixel in zip(padding, pixels, strict=True))
    return _offsets(rows, (*_steps(size)[:-1], math.prod(size))), _offsets(rows, (*pixels[:-1], batch)) + border


def _steps(size: Size) -> Size:
    """Pixels from one to the next along each dimension."""
    return tuple(math.prod(size[dim + 1 :]) for dim in range(len(size)))


def _offsets(size: Sequence[int], distances: Sequence[int]) -> Tensor:
    """``sum_d i_d distances[d]`` for all indices i of an array of ``size``, in row-major order."""
    made = torch.zeros(1, dtype=torch.int64)
    for n, distance in zip(size, distances, strict=True):
        made = (made[:, None] + torch.arange(n) * distance).flatten()
    return made
