"""FLOPs of the Fourier transform, and their registration with torch's counter, which does not count them by itself."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.flop_counter import flop_registry, register_flop_formula


def transform_flops(size: Sequence[int]) -> int:
    """Return the FLOPs of one transform of a real image with N pixels, ``2.5 N log2 N``; a complex one takes twice as many.

    This is the convention of the literature (Frigo & Johnson 2005, FFTW), whatever the library computes.
    """
    n = math.prod(size)
    return round(2.5 * n * math.log2(n)) if n > 1 else 0


def fourier_flops(in_channels: int, out_channels: int, size: Sequence[int]) -> int:
    """Return the FLOPs of a global convolution of one image by transforms of ``size``, without the transform of the kernel.

    There is one transform for each input and output channel, and at each of the ``M (N/2 + 1)`` frequencies there are C*O
    complex multiply-adds of 8 FLOPs.
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
