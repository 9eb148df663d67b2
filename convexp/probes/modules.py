"""Finding the layers of a network that a probe measures."""

from collections.abc import Callable, Iterator

from torch import nn

from convexp.models import Network
from convexp.models.representations import named_part
from convexp.probes.requirements import require_one_network


def find_modules(network: nn.Module, wanted: Callable[[nn.Module], bool]) -> dict[str, nn.Module]:
    """Return the modules for which ``wanted`` is true, by their name in the network.

    The search covers the wired layers of a ``convexp.models.Network``, and all modules of any other network (those within an
    ``ImageNetwork``, by their names in there). It does not descend into a module that it found.

    Raises:
        NotApplicableError: If the network is an ensemble.
    """
    require_one_network(network)
    starts = network.wired_layers() if isinstance(network, Network) else [("", named_part(network))]
    return {name: module for start, layer in starts for name, module in _walk(start, layer, wanted)}


def _walk(name: str, module: nn.Module, wanted: Callable[[nn.Module], bool]) -> Iterator[tuple[str, nn.Module]]:
    if wanted(module):
        yield name, module
        return
    for child, part in module.named_children():
        yield from _walk(f"{name}.{child}" if name else child, part, wanted)


def picture_name(layer: str) -> str:
    """Return the name of a layer's picture: ``stage0`` for ``stages.0``, ``stage0_1`` for its part ``stages.0.1``."""
    return layer.replace("stages.", "stage").replace(".", "_")
