"""The plan of a skeleton: its stages at the matched width, and its wiring."""

import math
from collections.abc import Generator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn

from convexp.config import Config
from convexp.config.schema import SkeletonModel
from convexp.config.signatures.settable import PROVIDED_ARGUMENTS
from convexp.errors import ConfigError, one_line
from convexp.execution.makers import Maker, maker
from convexp.execution.pixel_statistics import PixelStatistics, UnitStatistics
from convexp.geometry.skeleton import Skeleton
from convexp.models import LayerCost, Network, layer_costs, match_width

SMALL = 10**9  # weights times pixels; each weight is multiplied at most once for each pixel


@dataclass(frozen=True)
class SkeletonPlan:
    """A skeleton that is not built yet (``convexp.execution.network_plan.NetworkPlan``).

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

    def build(self, pixels: PixelStatistics) -> tuple[nn.Module, list[LayerCost]]:
        """Build the network, its weights drawn from torch's random state, and count its layers.

        Raises:
            ConfigError: if the wiring does not fit the skeleton.
        """
        with naming_model(self.name):
            network = Network(self.skeleton, self.wiring, pixels.mean, pixels.std)
            return network, layer_costs(network, self.skeleton.input_shape)

    def count_layers(self) -> list[LayerCost]:
        """Count the network's layers on torch's meta device: nothing is allocated and no random number is drawn.

        A small network is counted on the CPU, where that is possible: on the meta device torch computes by Python code that
        takes half a second to import.
        """
        shape = self.skeleton.input_shape
        pixels = UnitStatistics(shape[0])
        with naming_model(self.name), torch.device("meta"):
            network = Network(self.skeleton, self.wiring, pixels.mean, pixels.std)
        if sum(parameter.numel() for parameter in network.parameters()) * math.prod(shape) <= SMALL:
            with suppress(Exception), torch.random.fork_rng(devices=[]):  # on the meta device the error is the network's own
                return layer_costs(_zeros(deepcopy(network)), shape)
        with naming_model(self.name), torch.device("meta"):
            return layer_costs(network, shape)


def _zeros(network: nn.Module) -> nn.Module:
    """The network on the CPU, all its weights 0."""
    tensors = {name: torch.zeros(tensor.shape, dtype=tensor.dtype) for name, tensor in network.state_dict().items()}
    network.load_state_dict(tensors, assign=True)
    return network


def plan_skeleton(config: Config, model: SkeletonModel) -> SkeletonPlan:
    """Plan the skeleton that ``model`` describes, at the width that ``match`` asks for.

    Raises:
        ConfigError: if the wiring does not fit the skeleton, or the budget of ``match`` cannot be reached.
    """
    wiring = maker("model.wiring", model.wiring, nn.Module, *PROVIDED_ARGUMENTS["model.wiring"])
    skeleton = model.skeleton(config.data.input_shape, config.network_outputs).scaled(model.width)
    with naming_model(model.name):
        width = match_width(skeleton, wiring, config.match)
        return SkeletonPlan(model.name, skeleton.scaled(width), wiring, model.width * width)


@contextmanager
def naming_model(name: str) -> Generator[None]:
    """Turn errors in building the network into a ConfigError of one line that names the model."""
    try:
        yield
    except (ValueError, TypeError, RuntimeError) as error:
        raise ConfigError(f"model ({name}): {one_line(error)}") from None
