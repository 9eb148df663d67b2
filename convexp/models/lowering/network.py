"""A skeleton as a list of operations."""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from convexp.geometry import Size
from convexp.models.lowering.borders import bordered_units, held_numbers
from convexp.models.lowering.parts import lower_activation, lower_input, lower_linear, lower_norm, lower_pool
from convexp.models.lowering.weights import LeftOutError, Weights
from convexp.models.lowering.wirings import lower_wiring
from convexp.models.network import Network
from convexp.records.playground_format import MAX_ALL_UNITS, MAX_IMAGE, MAX_MULTIPLY_ADDS, MAX_UNITS, Input, Layer

Fields = dict[str, Any]


@dataclass
class Lowered:
    """A network as operations.

    Attributes:
        input: What it sees.
        layers: What is computed, in order.
        weights: The arrays of the layers.
        multiply_adds: Multiply-adds for one image.
        units: Units of all layers, with their borders.
    """

    input: Input
    layers: list[Layer] = field(default_factory=list[Layer])
    weights: Weights = field(default_factory=Weights)
    multiply_adds: int = 0
    units: int = 0

    def add(self, name: str, stage: int | None, fields: Fields, before: Size, after: Size) -> None:
        """Add an operation that maps the shape ``before`` to ``after``.

        Raises:
            LeftOutError: If all operations together are too large for a page.
        """
        bordered = bordered_units(fields, before)
        if bordered > MAX_UNITS:
            raise LeftOutError(f"a layer with its border has {bordered:,} units, and a page has at most {MAX_UNITS:,}")
        self.units += math.prod(after) + held_numbers(fields, before)
        if self.units > MAX_ALL_UNITS:
            raise LeftOutError(f"its layers have {self.units:,} units or more, and a page has at most {MAX_ALL_UNITS:,}")
        self.layers.append(Layer(name=name, stage=stage, **fields))

    def count(self, multiply_adds: int, units: int) -> None:
        """Add the cost of a layer with so many units.

        Raises:
            LeftOutError: If a page could not run it.
        """
        self.multiply_adds += multiply_adds
        if units > MAX_UNITS:
            raise LeftOutError(f"a layer has {units:,} units, and a page has at most {MAX_UNITS:,}")
        if self.multiply_adds > MAX_MULTIPLY_ADDS:
            raise LeftOutError(
                f"it takes {self.multiply_adds / 1e6:,.0f} million multiply-adds or more for an image, and a page has at most "
                f"{MAX_MULTIPLY_ADDS / 1e6:,.0f} million"
            )


@torch.no_grad()
def lower(network: nn.Module) -> Lowered:
    """Describe a network, in evaluation, as operations with its present weights. The network is not changed.

    Raises:
        LeftOutError: If it is no skeleton of images, or one that is too large; the message says so in a sentence.
    """
    if type(network) is not Network:
        inner = getattr(network, "network", network)
        raise LeftOutError(f"it is a {type(inner).__name__}, and a page runs networks of stages (model=conv and its like) only")
    shape = network.skeleton.input_shape
    if len(shape) != 3:
        raise LeftOutError(f"it sees signals of {len(shape) - 1} dimension{'s' * (len(shape) > 2)}, and a page shows images")
    if math.prod(shape) > MAX_IMAGE:
        raise LeftOutError(f"an image has {math.prod(shape):,} numbers, and a page has at most {MAX_IMAGE:,}")
    lowered = Lowered(lower_input(network.normalize, shape))
    for index, stage in enumerate(network.stages):
        shape = _stage(lowered, index, stage, shape)
    _head(lowered, network, shape)
    return lowered


def _stage(lowered: Lowered, index: int, stage: nn.Module, shape: Size) -> Size:
    """Add a stage; return the shape of its output."""
    for part, module in stage.named_children():
        name = f"stages.{index}.{part}"
        if part == "wiring":
            before = shape
            fields, shape, cost = lower_wiring(module, before, lowered.weights)
            lowered.count(cost, math.prod(shape))
            lowered.add(name, index, fields, before, shape)
        elif part == "norm":
            lowered.add(name, index, lower_norm(module, lowered.weights), shape, shape)
        elif part == "activation":
            lowered.add(name, index, lower_activation(module), shape, shape)
        else:
            for fields in lower_pool(module):
                before = shape
                shape = (before[0], *(n // s for n, s in zip(before[1:], fields["stride"], strict=True)))
                lowered.count(math.prod(shape) * math.prod(fields["kernel"]), math.prod(shape))
                lowered.add(name, index, fields, before, shape)
    return shape


def _head(lowered: Lowered, network: Network, shape: Size) -> None:
    """Add readout and head, for stages whose output has this shape."""
    units: Size = (math.prod(shape) if network.readout.kind == "flatten" else shape[0], 1, 1)
    lowered.add("readout", None, {"op": network.readout.kind}, shape, units)
    for name, part in network.head.named_children():
        parts = part.named_children() if isinstance(part, nn.Sequential) else [("", part)]
        for inner, module in parts:
            whole = f"head.{name}.{inner}".rstrip(".")
            if isinstance(module, nn.Linear):
                before, units = units, (module.out_features, 1, 1)
                lowered.add(whole, None, lower_linear(module, lowered.weights), before, units)
                lowered.count(module.weight.numel(), module.out_features)
            elif inner == "norm":
                lowered.add(whole, None, lower_norm(module, lowered.weights), units, units)
            else:
                lowered.add(whole, None, lower_activation(module), units, units)
