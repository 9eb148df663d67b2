"""Where the windows of units lie in a padded image, as tables of offsets that the kernels read."""

import math
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
        weight: Of the outputs of a unit in its weights, (O/G,).
    """

    at: Tensor
    tap: Tensor
    run: Tensor
    place: Tensor
    output: Tensor
    weight: Tensor


@lru_cache(maxsize=256)
def places(g: Geometry) -> Places:
    """Return the tables of a geometry."""
    pixel = g.in_channels * g.batch  # values of one pixel
    steps = _steps(g.padded_size)
    at = torch.zeros(1, dtype=torch.int64)
    for n, s, step in zip(g.output_size, g.stride, steps, strict=True):
        at = (at[:, None] + torch.arange(n) * s * step * pixel).flatten()
    at = (at[:, None] + torch.arange(g.groups) * g.group_channels * g.batch).flatten()
    run = torch.zeros(1, dtype=torch.int64)
    last = len(steps) - 1
    for dim in (last, *range(last)):  # columns first
        run = (run[:, None] + torch.arange(g.kernel_size[dim]) * g.dilation[dim] * steps[dim] * pixel).flatten()
    tap = (run[:, None] + torch.arange(g.group_channels) * g.batch).flatten()
    return Places(
        at,
        tap,
        run,
        torch.arange(g.batch) * g.group_channels,
        torch.arange(g.unit_channels) * g.batch,
        torch.arange(g.unit_channels) * g.taps,
    )


@lru_cache(maxsize=256)
def turned(channels: int, size: Size, padding: Size, batch: int) -> tuple[Tensor, Tensor]:
    """Where the rows of pixels of each channel begin in an image (C, H, W), and in the padded image (Hp, Wp, C, B)."""
    lead = size[:-1]
    steps = _steps(tuple(n + 2 * p for n, p in zip(size, padding, strict=True)))
    begin = torch.zeros(1, dtype=torch.int64)
    to = torch.full((1,), padding[-1] * channels * batch)
    for n, p, step, own in zip(lead, padding, steps, _steps(size), strict=False):
        begin = (begin[:, None] + torch.arange(n) * own).flatten()
        to = (to[:, None] + (torch.arange(n) + p) * step * channels * batch).flatten()
    begin = (begin[:, None] + torch.arange(channels) * math.prod(size)).flatten()
    return begin, (to[:, None] + torch.arange(channels) * batch).flatten()


def _steps(size: Size) -> Size:
    """Pixels from one to the next along each dimension."""
    return tuple(math.prod(size[dim + 1 :]) for dim in range(len(size)))
