"""Finding the layers whose weights the probes of structure look at: this package's, and torch's as views of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from torch import nn

from convexp.layers.base import SpatialLayer
from convexp.layers.views import TORCH, view_conv, view_linear
from convexp.layers.windowed import WindowedLayer
from convexp.machine.memory import free_bytes
from convexp.models.representations import Input, inputs
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import find_modules
from convexp.probes.sample import Sample

BYTES = 8  # of a weight by unit and pixel, as probes compute in double precision


@dataclass(frozen=True)
class FoundLayers:
    """The layers on images that a network has.

    Attributes:
        layers: The layers by name.
        others: For each other layer the reason why it cannot be measured, by name.
    """

    layers: dict[str, Any]
    others: dict[str, str]

    def maps(self) -> dict[str, dict[str, str]]:
        """The reasons as the map ``not_measured`` of a probe; empty if there are none."""
        return {"not_measured": self.others} if self.others else {}


def spatial_layers(network: nn.Module, sample: Sample, linear: bool = True) -> FoundLayers:
    """Return the layers on images that have weights by unit and pixel.

    These are the layers of ``convexp.layers``: the wirings of a network, or those that a composed wiring holds. Elsewhere also
    every ``nn.Conv1d``, ``nn.Conv2d`` and ``nn.Conv3d``, and every ``nn.Linear`` that is applied to a flattened map.

    Args:
        network: The network.
        sample: Images, of which one is passed through the network to find the sizes of inputs.
        linear: Whether an ``nn.Linear`` can be measured. It has one location, at which all of its units see the whole map.

    Raises:
        NotApplicableError: If there are none, with the reasons.
    """
    found = find_layers(network, sample, lambda module: isinstance(module, SpatialLayer))
    layers, others = dict[str, Any](), dict(found.others)
    for name, layer in cast(dict[str, SpatialLayer], found.layers).items():
        reason = _reason(layer, linear)
        if reason is None:
            layers[name] = layer
        else:
            others[name] = reason
    return _some(FoundLayers(layers, others))


def find_layers(network: nn.Module, sample: Sample, wanted: Callable[[nn.Module], bool]) -> FoundLayers:
    """Return the modules for which ``wanted`` is true, and torch's layers on images as views of this package's.

    Raises:
        NotApplicableError: If there are none, with the reasons.
    """
    found = find_modules(network, lambda module: wanted(module) or isinstance(module, TORCH))
    of_torch = {name: module for name, module in found.items() if not wanted(module)}
    seen = inputs(network, sample.images, of_torch.values()) if of_torch else {}
    layers, others = dict[str, Any](), dict[str, str]()
    for name, module in found.items():
        view = _view(module, seen.get(module)) if name in of_torch else module
        if isinstance(view, str):
            others[name] = view
        elif view is not None:
            layers[name] = view
    return _some(FoundLayers(layers, others))


def _some(found: FoundLayers) -> FoundLayers:
    if not found.layers:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in found.others.items())
        raise NotApplicableError(reasons or "the network has no layer on images")
    return found


def _view(module: nn.Module, seen: Input | None) -> SpatialLayer | str | None:
    """A layer of torch as one of this package's, or the reason why it is none; None for an nn.Linear on no image."""
    try:
        if isinstance(module, nn.Linear):
            return None if seen is None or seen.flattened is None else view_linear(module, seen.flattened)
        if seen is None:
            return "it is not called in the forward pass"
        conv = cast(nn.Conv2d, module)
        return view_conv(conv, seen.shape[-(conv.weight.dim() - 2) :])
    except (ValueError, TypeError) as error:
        return str(error)


def _reason(layer: SpatialLayer, linear: bool) -> str | None:
    """Why a layer cannot be measured; None if it can."""
    if not layer.is_linear():
        return f"{type(layer).__name__} is not linear: it has no weights by unit and pixel"
    if not linear and layer.locations == 1 and layer.kernel_size == layer.input_size:
        return "it has one location, at which its units see all of the map"
    weights = 0 if layer.shares_weights else layer.out_channels * layer.locations * _inputs_of_a_unit(layer)
    if (needed := weights * BYTES) > (free := free_bytes()):
        return f"its {weights:,} weights by unit and pixel take {needed / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free"
    return None


def _inputs_of_a_unit(layer: SpatialLayer) -> int:
    return layer.fan_in() if isinstance(layer, WindowedLayer) else layer.in_channels * layer.pixels
