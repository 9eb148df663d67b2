"""What is known of a wiring without torch: who shares weights with whom, and what its layers cost in closed form.

In the formulas C and O are input and output channels, P and L pixels and locations, T taps, G groups, R the rank; a
multiply-add is two FLOPs (docs/design.md, section 1). ``convexp.layers.cost`` counts the same, layer by layer.
"""

import math
from dataclasses import dataclass
from typing import Literal

from convexp.geometry.fourier import cheaper_by_fourier, fourier_flops, transform_flops
from convexp.geometry.requirements import check_global_border, check_groups, first_centres
from convexp.geometry.skeleton import Skeleton, Stage
from convexp.geometry.windows import Size, check_minimum

WiringName = Literal["conv", "global_conv", "local", "low_rank_local", "dense", "unknown"]


@dataclass(frozen=True)
class Wiring:
    """The wiring of all stages of a skeleton.

    Attributes:
        name: Kind of wiring; ``unknown`` for a layer from elsewhere, of which nothing is known but its output size.
        groups: Number of parts into which the channels are cut, which do not see each other.
        rank: Number of shared kernels of ``low_rank_local``.
        bias: Biases by ``location`` or by ``channel``, for wirings that can have either; False for none.
    """

    name: WiringName
    groups: int = 1
    rank: int = 1
    bias: Literal["location", "channel", False] = "location"

    @property
    def shares(self) -> bool | None:
        """Whether all locations use the same weights; None if it is not known."""
        return None if self.name == "unknown" else self.name in ("conv", "global_conv")

    @property
    def sees_all(self) -> bool:
        """Whether a unit sees every pixel of its input, and not a window."""
        return self.name in ("dense", "global_conv")


def check_wiring(wiring: Wiring, skeleton: Skeleton) -> None:
    """Check that ``wiring`` can make the layer of every stage.

    Raises:
        ValueError: If a layer cannot be made, with the words in which ``convexp.layers`` says so, or a window does not fit.
    """
    check_minimum(1, groups=[wiring.groups], rank=[wiring.rank])
    channels = (skeleton.input_shape[0], *(stage.channels for stage in skeleton.stages))
    for inputs, stage, size in zip(channels, skeleton.stages, skeleton.sizes(), strict=False):
        check_groups(wiring.groups, inputs, stage.channels)
        if wiring.name == "global_conv":
            check_global_border(stage.padding_mode)
            first_centres(size, stage.kernel_size, stage.stride, stage.padding, stage.dilation, stage.padding_mode)


@dataclass(frozen=True)
class LayerCost:
    """Parameters of a layer, and FLOPs of its forward pass for one image."""

    parameters: int
    flops: int


def wiring_cost(wiring: Wiring, stage: Stage, channels: int, input_size: Size, has_bias: bool) -> LayerCost | None:
    """Return the cost of the layer that ``wiring`` makes for a stage; None if the wiring is not known.

    Args:
        wiring: The wiring.
        stage: The stage.
        channels: Number of input channels.
        input_size: Size of the input per dimension.
        has_bias: Whether the skeleton has biases.
    """
    units = stage.channels
    locations, pixels = math.prod(stage.wired_size(input_size)), math.prod(input_size)
    kernel = units * (channels // wiring.groups) * math.prod(stage.kernel_size)  # weights of one kernel, O C/G T
    by_unit = {"location": units * locations, "channel": units, False: 0}[wiring.bias] if has_bias else 0
    by_channel = units if has_bias and wiring.bias else 0
    if wiring.name == "conv":
        return LayerCost(kernel + by_channel, 2 * locations * kernel)
    if wiring.name == "local":
        return LayerCost(locations * kernel + by_unit, 2 * locations * kernel)
    if wiring.name == "low_rank_local":
        weights = wiring.rank * (kernel + locations)
        return LayerCost(weights + by_unit, 2 * locations * kernel + 2 * wiring.rank * locations * kernel)
    if wiring.name == "dense":
        weights = channels * pixels * units * locations
        return LayerCost(weights + (units * locations if has_bias and wiring.bias else 0), 2 * weights)
    if wiring.name == "global_conv":
        return _global_conv_cost(stage, channels, input_size, locations, by_channel)
    return None


def _global_conv_cost(stage: Stage, channels: int, input_size: Size, locations: int, biases: int) -> LayerCost:
    circular = stage.padding_mode == "circular"
    pairs, pixels = channels * stage.channels, math.prod(input_size)
    weights = pairs * (pixels if circular else math.prod(2 * n - 1 for n in input_size))
    transforms = input_size if circular else tuple(2 * n for n in input_size)
    product = 2 * pairs * pixels * locations
    if not cheaper_by_fourier(channels, stage.channels, transforms, product):
        return LayerCost(weights + biases, product)
    flops = fourier_flops(channels, stage.channels, transforms) + pairs * transform_flops(transforms)
    return LayerCost(weights + biases, flops)
