"""Finding the layers whose weights the probes of structure look at."""

from typing import cast

from torch import nn

from convexp.layers.base import SpatialLayer
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import find_modules


def spatial_layers(network: nn.Module) -> dict[str, SpatialLayer]:
    """Return the spatial layers by name: the wirings of a network, or those that a composed wiring holds.

    Raises:
        NotApplicableError: If there are none, or one is not linear, so that it has no weights by location and tap.
    """
    found = cast(dict[str, SpatialLayer], find_modules(network, lambda module: isinstance(module, SpatialLayer)))
    if not found:
        raise NotApplicableError("the network has no spatial layer of convexp.layers")
    for name, layer in found.items():
        if not layer.is_linear():
            raise NotApplicableError(f"{name}: {type(layer).__name__} is not linear: it has no weights by unit and pixel")
    return found
