"""A skeleton's network for several sets of weights at once: the same modules, each applied to stacked tensors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from convexp.models.network import Network
from convexp.models.parts import Normalize
from convexp.replicas import layers, parts
from convexp.replicas.layers import Stacked
from convexp.replicas.stacking import tensors_of


@dataclass(frozen=True)
class Part:
    """A module of a network, and what computes it for several networks.

    Attributes:
        module: The module; of those of several networks any one.
        function: Computes it from the module, its stacked tensors and the images of all networks.
        names: The names of its parameters and buffers, and what they are called in the network.
    """

    module: nn.Module
    function: Stacked
    names: Mapping[str, str]

    def __call__(self, tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Apply the module of every network to its images."""
        return self.function(self.module, {name: tensors.get(whole) for name, whole in self.names.items()}, x)


def parts_of(network: nn.Module) -> list[Part] | str:
    """Return the parts of a skeleton's network in the order of the forward pass, or why it has none that can be stacked."""
    if type(network) is not Network:
        return f"the network is a {type(network).__name__}, not one of a skeleton"
    found: list[Part] = []
    for name, module in _modules(network):
        function = _function(module)
        if function is None:
            return f"{name} is a {type(module).__name__}, of which it is not known how to train several at once"
        found.append(Part(module, function, {own: f"{name}.{own}" for own in tensors_of(module)}))
    return found


def has_parts(network: nn.Module) -> bool:
    """Whether ``parts_of`` knows the parts of a network; if not, several are trained at once under ``torch.vmap``."""
    return not isinstance(parts_of(network), str)


def _modules(network: Network) -> Iterator[tuple[str, nn.Module]]:
    """The modules that compute something, in the order of the forward pass."""
    for top in ("normalize", "stages", "readout", "head"):
        for name, module in network.get_submodule(top).named_modules(prefix=top):
            if not isinstance(module, nn.Sequential | nn.ModuleList):
                yield name, module


def _function(module: nn.Module) -> Stacked | None:
    kind = type(module)
    if kind is Normalize:
        return parts.normalize
    if kind in parts.KINDS:
        return parts.KINDS[kind]
    if kind in layers.KINDS:
        return layers.KINDS[kind]
    base = kind.__base__  # a layer of one, two or three dimensions
    return layers.KINDS.get(base) if base is not None and kind.__module__ == base.__module__ else None


def forward(found: list[Part], tensors: Mapping[str, Tensor], images: Tensor) -> Tensor:
    """Return the outputs of all networks: images (R, B, C, H, W), 0 to 255 -> (R, K, B).

    Args:
        found: The parts of any one of the networks, as ``parts_of`` has them.
        tensors: Parameters and buffers by name: (R, ...).
        images: A batch for every network.
    """
    x = images
    for part in found:
        x = part(tensors, x)
    return x
