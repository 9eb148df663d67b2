"""The FLOPs of the Fourier transform for torch's counter, which does not count them by itself."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.flop_counter import flop_registry, register_flop_formula

from convexp.geometry.fourier import transform_flops


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


def register_transforms() -> None:
    """Teach torch's counter the Fourier transforms that it does not count; a later torch may count them itself."""
    for operator, formula in _FORMULAS.items():
        if operator not in flop_registry:
            register_flop_formula(operator)(formula)
