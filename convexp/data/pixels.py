"""Numbers of a user's arrays as pixels 0..255, on one scale for all arrays of a data set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convexp.data.source import CHUNK


@dataclass(frozen=True)
class Values:
    """What an array holds: the least and the largest number, whether all are whole, whether they are kept as integers."""

    low: float
    high: float
    whole: bool
    integer: bool

    @property
    def are_bytes(self) -> bool:
        """Whether all are whole numbers 0..255."""
        return self.low >= 0 and self.high <= 255 and self.whole

    @property
    def are_shares(self) -> bool:
        """Whether all are real numbers 0..1, or truth values."""
        return self.low >= 0 and self.high <= 1 and not self.integer


def scale(arrays: Mapping[str, Any]) -> int:
    """What the numbers of all ``arrays``, ``(N, ...)`` by name, are multiplied with: 1 for 0..255, 255 for 0..1.

    Real numbers or truth values that are nothing but 0 and 1 go with either; where all are like that, they are 0..1.

    Raises:
        ValueError: naming the array that is neither, or two that are not alike.
    """
    found = {name: _values(name, array) for name, array in arrays.items()}
    for name, values in found.items():
        if not (values.are_bytes or values.are_shares):
            kinds = "whole numbers 0..255 or real numbers 0..1"
            raise ValueError(f"{name} go from {values.low:g} to {values.high:g}; should be {kinds}")
    whole = [name for name, values in found.items() if not values.are_shares]
    real = [name for name, values in found.items() if not values.are_bytes]
    if whole and real:
        raise ValueError(f"{whole[0]} are whole numbers 0..255, {real[0]} real numbers 0..1; should be alike")
    return 1 if whole else 255


def as_bytes(images: Any, scale: int) -> Tensor:
    """The numbers times ``scale``, rounded, uint8, of the same shape; converted a chunk at a time."""
    bytes_ = np.empty(images.shape, np.uint8)
    for start, chunk in _chunks(images):
        bytes_[start : start + len(chunk)] = chunk if scale == 1 else np.round(chunk * scale)
    return torch.from_numpy(bytes_)


def _chunks(images: Any) -> Iterator[tuple[int, Any]]:
    return ((start, images[start : start + CHUNK]) for start in range(0, len(images), CHUNK))


def _values(name: str, images: Any) -> Values:
    if images.dtype == np.uint8:
        return Values(0, 255, whole=True, integer=True)
    whole, low, high = True, np.inf, -np.inf
    for start, chunk in _chunks(images):
        if not bool((fine := np.isfinite(chunk)).all()):
            image = start + int(np.argwhere(~fine)[0][0])
            raise ValueError(f"{name} hold values that are no finite numbers (NaN or infinity), the first in image {image}")
        whole = whole and bool((chunk == np.round(chunk)).all())
        low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
    return Values(low, high, whole, integer=images.dtype.kind in "iu")
