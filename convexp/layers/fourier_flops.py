"""FLOPs of the Fourier transform, and torch's counter taught to count them."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.flop_counter import flop_registry, register_flop_formula


def transform_flops(size: Sequence[int]) -> int:
    """Of one transform of a real image: ``2.5 N log2 N``, N pixels; twice that for a complex one.

    The convention of the literature (Frigo & Johnson 2005, FFTW), whatever the library really does.
    """
    n = math.prod(size)
    return round(2.5 * n * math.log2(n)) if n > 1 else 0


def fourier_flops(in_channels: int, out_channels: int, size: Sequence[int]) -> int:
    """Of one image through a global convolution by transforms of ``size``, the kernel's own transform left out.

    One transform for each channel in and out, and for each of the ``M (N/2 + 1)`` frequencies C*O complex multiply-adds of 8.
    """
    frequencies = size[0] * (size[1] // 2 + 1)
    return (in_channels + out_channels) * transform_flops(size) + 8 * frequencies * in_channels * out_channels


def _real(image: Sequence[int], dim: Sequence[int]) -> int:
    size = [image[d] for d in dim]
    return math.prod(image) // max(1, math.prod(size)) * transform_flops(size)


def _r2c(x: Sequence[int], dim: Sequence[int], *_: Any, **__: Any) -> int:
    return _real(x, dim)


def _c2r(_x: Sequence[int], dim: Sequence[int], *_: Any, out_shape: Sequence[int], **__: Any) -> int:
    return _real(out_shape, dim)


def _c2c(x: Sequence[int], dim: Sequence[int], *_: Any, **__: Any) -> int:
    return 2 * _real(x, dim)


_FORMULAS: dict[Any, Any] = {torch.ops.aten._fft_r2c: _r2c, torch.ops.aten._fft_c2r: _c2r, torch.ops.aten._fft_c2c: _c2c}
for _operator, _formula in _FORMULAS.items():
    if _operator not in flop_registry:  # a later torch may count them itself
        register_flop_formula(_operator)(_formula)
