"""What a probe is and what it returns."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from convexp.models import Network

BATCH = 1000  # images in one forward pass: bounds the memory, whatever the grid


class NotApplicableError(Exception):
    """The probe says nothing about this network or these images: noted in the result, the run goes on."""


@dataclass
class Measurement:
    """Numbers, maps (plain lists) and pictures (``(3, H, W)``, uint8) by name; ``protocol``: how shifts were made."""

    numbers: dict[str, float]
    maps: dict[str, Any] = field(default_factory=dict[str, Any])
    pictures: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    protocol: str | None = None


class Probe(Protocol):
    """A measurement on a trained network, in evaluation mode and without gradients.

    ``images`` (N, C, H, W) uint8 and ``labels`` (N,) are the test set, on the network's device.
    """

    def measure(self, network: Network, images: Tensor, labels: Tensor) -> Measurement:
        """Measure; raise ``NotApplicableError`` where that makes no sense."""
        ...


def at_least(probe: object, **least: int) -> None:
    """Raise a ValueError unless each named setting of ``probe`` is an integer of at least the value given here."""
    for name, smallest in least.items():
        value = getattr(probe, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < smallest:
            raise ValueError(f"{name}={value}: should be a whole number, {smallest} or more")


def predict(network: Network, images: Tensor) -> Tensor:
    """Predicted class of each image: ``(N, C, H, W) -> (N,)``."""
    return torch.cat([network(batch).argmax(1) for batch in images.split(BATCH)])
