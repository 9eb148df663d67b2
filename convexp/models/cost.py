"""What a network costs, layer by layer: parameters and FLOPs.

The counted cost of a network is a list of :class:`LayerCost`, the closed form of one layer is a ``convexp.layers.Cost``, and
what is measured on a machine is a ``convexp.models.timing.LayerTime``.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from convexp.layers import Cost
from convexp.layers.cost import HasCost
from convexp.models.forward_pass import observe_forward
from convexp.models.network import Network


@dataclass(frozen=True)
class LayerCost:
    """The counted cost of one layer.

    Attributes:
        name: Name of the module in the network, as in ``named_modules``.
        kind: Name of the module's class.
        output_shape: Shape of the output for one image, without the batch dimension; that of the last call if there are
            several, and empty if the module is never called itself, because another one uses its weights.
        parameters: Number of parameters that the module itself holds.
        flops: FLOPs of the forward pass for one image, without those of its submodules; a multiply-add counts as two.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    flops: int

    @property
    def units(self) -> int:
        """Number of numbers in the output for one image."""
        return math.prod(self.output_shape) if self.output_shape else 0


@dataclass(frozen=True)
class NetworkCost:
    """The counted cost of a network, as it stands in a run's record under ``network``.

    Attributes:
        parameters: Number of parameters of all layers.
        flops: FLOPs of the forward pass of all layers for one image.
        layers: The cost of every module that has parameters or FLOPs of its own, in the order of ``named_modules``.
    """

    parameters: int
    flops: int
    layers: list[LayerCost]


def layer_costs(network: nn.Module, input_shape: tuple[int, ...]) -> list[LayerCost]:
    """Count parameters and FLOPs of every module that has some of its own, by a forward pass of one black image.

    A parameter that several modules share counts for the first of them. The FLOPs of a module called several times are those of
    all calls. On the meta device nothing is computed or allocated, and the counts are the same.

    Args:
        network: The network, in any mode, which is kept.
        input_shape: Shape of an image, (C, H, W), or of a signal, (C, L).

    Raises:
        ValueError: If the layer of a stage returns another shape than the skeleton asks for.
    """
    hooks = [layer.register_forward_hook(partial(_check_output, name, shape)) for name, layer, shape in _wired(network)]
    try:
        seen = observe_forward(network, input_shape)
    finally:
        for hook in hooks:
            hook.remove()
    parameters = _own_parameters(network)
    return [
        LayerCost(name, type(module).__name__, seen.shapes.get(module, ()), parameters[name], seen.flops.get(module, 0))
        for name, module in network.named_modules()
        if name in parameters and (parameters[name] or seen.flops.get(module, 0))
    ]


def _own_parameters(network: nn.Module) -> dict[str, int]:
    """Number of parameters that each module itself holds, by name, without those that an earlier one holds, too."""
    counted: set[nn.Parameter] = set()
    found: dict[str, int] = {}
    for name, module in network.named_modules():
        own = set(module.parameters(recurse=False)) - counted
        found[name] = sum(p.numel() for p in own)
        counted |= own
    return found


def network_cost(layers: list[LayerCost]) -> NetworkCost:
    """Add up the costs of a network's layers."""
    return NetworkCost(sum(layer.parameters for layer in layers), sum(layer.flops for layer in layers), layers)


def closed_form(module: nn.Module, batch: int = 1) -> Cost | None:
    """Return the cost of a module for ``batch`` images if it knows its own or is an ``nn.Linear``; else None."""
    if isinstance(module, HasCost):
        return module.cost(batch)
    return _linear_cost(module, batch) if isinstance(module, nn.Linear) else None


def _linear_cost(linear: nn.Linear, batch: int) -> Cost:
    weights = linear.in_features * linear.out_features
    biases = linear.out_features if "bias" in dict(linear.named_parameters()) else 0
    size = linear.weight.element_size()
    return Cost(
        weights=weights,
        biases=biases,
        forward_flops=2 * batch * weights,
        backward_flops=4 * batch * weights,
        parameter_bytes=size * (weights + biases),
        input_bytes=size * batch * linear.in_features,
        output_bytes=size * batch * linear.out_features,
    )


def _wired(network: nn.Module) -> list[tuple[str, nn.Module, tuple[int, ...]]]:
    """Name and layer of every stage of a skeleton, and the shape (O, H', W') that the layer has to return for one image."""
    if not isinstance(network, Network):
        return []
    skeleton = network.skeleton
    shapes = [(stage.channels, *stage.wired_size(size)) for stage, size in zip(skeleton.stages, skeleton.sizes(), strict=False)]
    return [(name, layer, shape) for (name, layer), shape in zip(network.wired_layers(), shapes, strict=True)]


def _check_output(name: str, shape: tuple[int, ...], layer: nn.Module, _inputs: Any, output: Any) -> None:
    found = tuple(output.shape[1:]) if isinstance(output, Tensor) else type(output).__name__
    if found != shape:
        raise ValueError(f"{name}: {type(layer).__name__} returns {found} for an image; should return {shape}")
