"""The interface of a probe: the protocol that probes follow, and the record that they return."""

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from convexp.probes.sample import Sample


@dataclass
class Measurement:
    """What a probe found.

    Attributes:
        numbers: Finite numbers by name. The probe's docstring gives the unit of each in its section ``Numbers:``.
        maps: Values with more than one entry by name, as plain lists and dictionaries that JSON can hold.
        pictures: Pictures by name, each ``(3, H, W)`` uint8.
        protocol: The protocol by which images were shifted, or None if the probe shifts none.
    """

    numbers: dict[str, float]
    maps: dict[str, Any] = field(default_factory=dict[str, Any])
    pictures: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    protocol: str | None = None


@runtime_checkable
class Probe(Protocol):
    """A measurement of a trained network, made in evaluation mode and without recording gradients."""

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure ``network`` on the images of ``sample``.

        Raises:
            NotApplicableError: If the network or the images lack something that the measurement needs.
        """
        ...
