"""Conversion of a user's arrays to pixels from 0 to 255, on one scale for all arrays of a data set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convexp.data.source import CHUNK


@dataclass(frozen=True)
class PixelRange:
    """The range and kind of the numbers in an array.

    Attributes:
        low: Smallest number.
        high: Largest number.
        integral: Whether all numbers are whole.
        integer_type: Whether the array has an integer type.
    """

    low: float
    high: float
    integral: bool
    integer_type: bool

    @property
    def fits_bytes(self) -> bool:
        """Whether all numbers are whole numbers from 0 to 255."""
        return self.low >= 0 and self.high <= 255 and self.integral

    @property
    def fits_unit_interval(self) -> bool:
        """Whether all numbers are real numbers from 0 to 1, or truth values."""
        return self.low >= 0 and self.high <= 1 and not self.integer_type


def common_scale(arrays: Mapping[str, Any]) -> int:
    """Return the factor that brings all arrays to 0..255: 1 for whole numbers 0..255, 255 for real numbers 0..1.

    Real numbers or truth values that are all 0 or 1 agree with both, and are taken as 0..1 if no array has whole numbers.

    Args:
        arrays: Numpy arrays ``(N, ...)``, by name.

    Raises:
        ValueError: If an array is neither, or if two arrays are of different kinds. The message names them.
    """
    found = {name: _pixel_range(name, array) for name, array in arrays.items()}
    for name, numbers in found.items():
        if not (numbers.fits_bytes or numbers.fits_unit_interval):
            kinds = "whole numbers 0..255 or real numbers 0..1"
            raise ValueError(f"{name} go from {numbers.low:g} to {numbers.high:g}; should be {kinds}")
    whole = [name for name, numbers in found.items() if not numbers.fits_unit_interval]
    real = [name for name, numbers in found.items() if not numbers.fits_bytes]
    if whole and real:
        raise ValueError(f"{whole[0]} are whole numbers 0..255, {real[0]} real numbers 0..1; should be alike")
    return 1 if whole else 255


def to_uint8(images: Any, scale: int) -> Tensor:
    """Multiply a numpy array by ``scale``, round, and return it as a uint8 tensor of the same shape."""
    bytes_ = np.empty(images.shape, np.uint8)
    for start, chunk in _chunks(images):
        bytes_[start : start + len(chunk)] = chunk if scale == 1 else np.round(chunk * scale)
    return torch.from_numpy(bytes_)


def _chunks(images: Any) -> Iterator[tuple[int, Any]]:
    return ((start, images[start : start + CHUNK]) for start in range(0, len(images), CHUNK))


def _pixel_range(name: str, images: Any) -> PixelRange:
    if images.dtype == np.uint8:
        return PixelRange(0, 255, integral=True, integer_type=True)
    integral, low, high = True, np.inf, -np.inf
    for start, chunk in _chunks(images):
        if not bool((finite := np.isfinite(chunk)).all()):
            image = start + int(np.argwhere(~finite)[0][0])
            raise ValueError(f"{name} hold values that are not finite (NaN or infinity), the first in image {image}")
        integral = integral and bool((chunk == np.round(chunk)).all())
        low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
    return PixelRange(low, high, integral, integer_type=images.dtype.kind in "iu")
