"""The network of a run before it is built: its skeleton at the matched width, and its wiring."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from convexp.config import Config
from convexp.config.signatures.settable import PROVIDED_ARGUMENTS
from convexp.errors import ConfigError, one_line
from convexp.execution.makers import Maker, maker
from convexp.geometry.skeleton import Skeleton
from convexp.models import LayerCost, Network, layer_costs, match_width


class PixelStatistics(Protocol):
    """Statistics of the training images that a network normalises its input with."""

    @property
    def mean(self) -> list[float]:
        """Mean of the pixels of each channel, on a scale from 0 to 1."""
        ...

    @property
    def std(self) -> list[float]:
        """Standard deviation of the pixels of each channel, on a scale from 0 to 1."""
        ...


@dataclass(frozen=True)
class UnitStatistics:
    """Placeholder statistics for counting, where no images are read: mean 0 and standard deviation 1 in each channel."""

    channels: int

    @property
    def mean(self) -> list[float]:
        """Mean of each channel."""
        return [0.0] * self.channels

    @property
    def std(self) -> list[float]:
        """Standard deviation of each channel."""
        return [1.0] * self.channels


@dataclass(frozen=True)
class NetworkPlan:
    """A network that is not built yet.

    Attributes:
        name: Name of the model, used in error messages.
        skeleton: Stages, readout and hidden layers, with channels and hidden units scaled by ``width``.
        wiring: Callable that makes the layer of a stage.
        width: Factor on all channels and hidden units, the one that ``match`` asks for included.
    """

    name: str
    skeleton: Skeleton
    wiring: Maker[nn.Module]
    width: float

    def build(self, pixels: PixelStatistics) -> tuple[Network, list[LayerCost]]:
        """Build the network, its weights drawn from torch's random state, and count its layers.

        Raises:
            ConfigError: if the wiring does not fit the skeleton.
        """
        with naming_model(self.name):
            network = Network(self.skeleton, self.wiring, pixels.mean, pixels.std)
            return network, layer_costs(network)

    def count_layers(self) -> list[LayerCost]:
        """Count the network's layers on torch's meta device: nothing is allocated and no random number is drawn."""
        with torch.device("meta"):
            return self.build(UnitStatistics(self.skeleton.input_shape[0]))[1]


def plan_network(config: Config) -> NetworkPlan:
    """Plan the network that ``config`` describes, at the width that ``match`` asks for.

    Raises:
        ConfigError: if the wiring does not fit the skeleton, or the budget of ``match`` cannot be reached.
    """
    name = config.model.name
    wiring = maker("model.wiring", config.model.wiring, nn.Module, *PROVIDED_ARGUMENTS["model.wiring"])
    skeleton = config.model.skeleton(config.data.input_shape, config.data.classes).scaled(config.model.width)
    with naming_model(name):
        width = match_width(skeleton, wiring, config.match)
        return NetworkPlan(name, skeleton.scaled(width), wiring, config.model.width * width)


@contextmanager
def naming_model(name: str) -> Generator[None]:
    """Turn errors in building the network into a ConfigError of one line that names the model."""
    try:
        yield
    except (ValueError, TypeError, RuntimeError) as error:
        raise ConfigError(f"model ({name}): {one_line(error)}") from None
