"""The network of a run before it is built."""

from typing import Protocol

from torch import nn

from convexp.config import Config
from convexp.config.schema import SkeletonModel
from convexp.execution.image_network_plan import plan_image_network
from convexp.execution.pixel_statistics import PixelStatistics
from convexp.execution.skeleton_plan import plan_skeleton
from convexp.models import LayerCost


class NetworkPlan(Protocol):
    """A network that is not built yet: a skeleton, or what a callable makes."""

    @property
    def width(self) -> float:
        """How wide the network is: a skeleton's factor on all channels, or the value of ``model.width_setting``; 1 without."""
        ...

    def build(self, pixels: PixelStatistics) -> tuple[nn.Module, list[LayerCost]]:
        """Build the network, its weights drawn from torch's random state, and count its layers.

        The network maps images ``(B, C, H, W)``, uint8 or float with values of 0 to 255, to outputs ``(B, outputs)``.

        Raises:
            ConfigError: if the network cannot be built.
        """
        ...

    def count_layers(self) -> list[LayerCost]:
        """Count the network's layers, without its weights where possible; torch's random state is kept.

        Raises:
            ConfigError: if the network cannot be built, or does not fit the images and the outputs.
        """
        ...


def plan_network(config: Config) -> NetworkPlan:
    """Plan the network that ``config`` describes, at the width that ``match`` asks for.

    Raises:
        ConfigError: if the network cannot be built, or the budget of ``match`` cannot be reached.
    """
    if isinstance(config.model, SkeletonModel):
        return plan_skeleton(config, config.model)
    return plan_image_network(config, config.model)
