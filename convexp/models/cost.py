"""What a network costs, layer by layer: parameters and FLOPs.

The counted cost of a network is a list of :class:`LayerCost`, the closed form of one layer is a ``convexp.layers.Cost``, and
what is measured on a machine is a ``convexp.models.timing.LayerTime``.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from convexp.layers import Cost
from convexp.layers.cost import HasCost
from convexp.models.network import Network


@dataclass(frozen=True)
class LayerCost:
    """The counted cost of one layer.

    Attributes:
        name: Name of the module in the network, as in ``named_modules``.
        kind: Name of the module's class.
        output_shape: Shape of the output for one image, without the batch dimension.
        parameters: Number of parameters that the module itself holds.
        flops: FLOPs of the forward pass for one image; a multiply-add counts as two.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    flops: int


@dataclass(frozen=True)
class NetworkCost:
    """The counted cost of a network, as it stands in a run's record under ``network``.

    Attributes:
        parameters: Number of parameters of all layers.
        flops: FLOPs of the forward pass of all layers for one image.
        layers: The cost of every layer that has parameters, in the order of ``named_modules``.
    """

    parameters: int
    flops: int
    layers: list[LayerCost]


def layers_with_parameters(network: Network) -> list[tuple[str, nn.Module]]:
    """Return the modules that hold parameters of their own with their names, in the order of ``named_modules``."""
    return [(name, m) for name, m in network.named_modules() if list(m.parameters(recurse=False))]


def layer_costs(network: Network) -> list[LayerCost]:
    """Count parameters and FLOPs of every layer that has parameters, by a forward pass of one black image.

    On the meta device nothing is computed or allocated, and the counts are the same.

    Raises:
        ValueError: If the layer of a stage returns another shape than the skeleton asks for.
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        shapes[name] = tuple(output.shape[1:])

    layers = layers_with_parameters(network)
    hooks = [module.register_forward_hook(partial(note, name)) for name, module in layers]
    hooks += [layer.register_forward_hook(partial(_check_output, name, shape)) for name, layer, shape in _wired(network)]
    flops = _forward_flops(network)
    for hook in hooks:
        hook.remove()
    return [
        LayerCost(
            name=name,
            kind=type(module).__name__,
            output_shape=shapes[name],
            parameters=sum(p.numel() for p in module.parameters(recurse=False)),
            flops=flops.get(name, 0),
        )
        for name, module in layers
    ]


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


def _forward_flops(network: Network) -> dict[str, int]:
    """FLOPs of the forward pass for one image by name of module, in evaluation mode; the network's own mode is kept."""
    image = torch.zeros(1, *network.skeleton.input_shape, device=network.normalize.scale.device)
    training = network.training
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network.eval()(image)
    network.train(training)
    root = f"{type(network).__name__}."
    return {name.removeprefix(root): int(sum(ops.values())) for name, ops in counter.get_flop_counts().items()}


def _wired(network: Network) -> list[tuple[str, nn.Module, tuple[int, ...]]]:
    """Name and layer of every stage, and the shape (O, H', W') that the layer has to return for one image."""
    skeleton = network.skeleton
    shapes = [(stage.channels, *stage.wired_size(size)) for stage, size in zip(skeleton.stages, skeleton.sizes(), strict=False)]
    return [(name, layer, shape) for (name, layer), shape in zip(network.wired_layers(), shapes, strict=True)]


def _check_output(name: str, shape: tuple[int, ...], layer: nn.Module, _inputs: Any, output: Any) -> None:
    found = tuple(output.shape[1:]) if isinstance(output, Tensor) else type(output).__name__
    if found != shape:
        raise ValueError(f"{name}: {type(layer).__name__} returns {found} for an image; should return {shape}")
