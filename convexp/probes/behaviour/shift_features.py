"""Shifting feature maps by a number of units that need not be whole."""

import torch
from torch import Tensor

from convexp.data.canvas import circular, zero_fill
from convexp.geometry.placement import ShiftProtocol


def shift_features(features: Tensor, shift: tuple[float, ...], protocol: ShiftProtocol) -> Tensor:
    """Shift feature maps ``(B, C, *size)``, with linear interpolation between whole units.

    For a shift by ``q + f`` units with q whole and ``0 <= f < 1``: ``(1 - f) T_q + f T_(q+1)``.

    Args:
        features: Feature maps.
        shift: Shift per dimension, in units of the map.
        protocol: With ``circular``, units that leave the map enter at the other side. Otherwise zeros enter.
    """
    for dim, delta in enumerate(shift):
        whole = int(delta // 1)
        fraction = delta - whole
        moved = _shift_along(features, dim, whole, protocol)
        if fraction:
            moved = (1 - fraction) * moved + fraction * _shift_along(features, dim, whole + 1, protocol)
        features = moved
    return features


def _shift_along(features: Tensor, dim: int, units: int, protocol: ShiftProtocol) -> Tensor:
    shift = tuple(units if d == dim else 0 for d in range(features.dim() - 2))
    if protocol == "circular":
        return circular(features, shift)
    return zero_fill(features, shift) if abs(units) < features.shape[2 + dim] else torch.zeros_like(features)
