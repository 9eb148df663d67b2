"""What the layers of a network make of an image, and where on it their units lie, for any ``nn.Module``."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from convexp.models.ensemble import Ensemble
from convexp.models.forward_pass import evaluating
from convexp.models.image_network import ImageNetwork
from convexp.models.network import Network
from convexp.models.positions import MapPositions, Tracer

T = TypeVar("T")

OUTPUT = "output"  # name of the network's output, where no layer that is looked at returns it
RESERVED = {OUTPUT, "logits", "softmax"}  # names of the output, and of what is made of it, which no layer has


@dataclass(frozen=True)
class Layout:
    """Where the units of a network's representations lie on the image.

    Attributes:
        maps: The positions of each feature map ``(B, C, *units)``, by layer.
        others: The reason why there is no map of known positions, by layer, for all other layers that are looked at.
    """

    maps: dict[str, MapPositions]
    others: dict[str, str]


@dataclass(frozen=True)
class Input:
    """What a module was given when it was called first.

    Attributes:
        shape: Shape of the input for one image, without the batch.
        flattened: Shape (C, H, W) of the map whose entries the input holds, if it is a map that was flattened; else None.
    """

    shape: tuple[int, ...]
    flattened: tuple[int, ...] | None


def representations(network: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Return the output of every layer that is looked at by name, in the order of the forward pass; the last are the logits.

    The layers are the parts of a ``convexp.models.Network``, those that an ``ImageNetwork`` names, or the children of any other
    module, an ``nn.ModuleList`` or ``nn.ModuleDict`` replaced by its own. Of a layer that is called several times the last
    output counts, and of a tuple the first tensor in it. A layer that is not called, or returns no tensor, is left out. The
    network's own output is added as ``output`` unless the last layer returns it and nothing changes it afterwards.
    """
    if isinstance(network, Network):
        return network.representations(images)
    found, last, output = _watch(network, images, torch.clone)  # a later layer may change the tensor in place
    if last is None or not torch.equal(found[last].detach(), output.detach()):
        found[OUTPUT] = output
    return found


def maps(network: nn.Module, images: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """Return the feature maps of the given names, from ``Layout.maps``: ``(B, C, *units)`` each."""
    if isinstance(network, Network):
        found = {f"stages.{i}": value for i, value in enumerate(network.features(images))}
    else:
        found = representations(network, images)
    return {name: found[name] for name in names}


def maps_and_logits(network: nn.Module, images: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
    """Return the feature maps of the given names, and the network's output as ``logits``, ``(B, classes)``."""
    every = representations(network, images)
    return {name: every[name] for name in names} | {"logits": list(every.values())[-1]}


def layout(network: nn.Module, images: Tensor) -> Layout:
    """Return where the units of the layers that are looked at lie on the image.

    Of a ``convexp.models.Network`` that follows from its skeleton, for wirings that see more than their window, too. In any
    other network the operations of a forward pass of the first image, in evaluation mode, are followed
    (``convexp.models.positions``).
    """
    if isinstance(network, Network):
        fields = network.skeleton.receptive_fields()
        return Layout({f"stages.{i}": MapPositions(field) for i, field in enumerate(fields)}, {})
    with evaluating(network), torch.inference_mode(), Tracer() as tracer:
        image = images[:1].clone()
        tracer.start(image)
        found, last, output = _watch(network, image, lambda tensor: _position(tensor, tracer, image.dim() - 2))
        if last is None:
            found[OUTPUT] = _position(output, tracer, image.dim() - 2)
    others = {name: "it is not called, or returns no tensor" for name in observed_layers(network) if name not in found}
    return Layout(
        {name: position for name, position in found.items() if isinstance(position, MapPositions)},
        {name: reason for name, reason in found.items() if isinstance(reason, str)} | others,
    )


def inputs(network: nn.Module, images: Tensor, modules: Iterable[nn.Module]) -> dict[nn.Module, Input]:
    """Return what each of ``modules`` is given in a forward pass of the first image; those that are not called are missing."""
    found: dict[nn.Module, Input] = {}

    def note(module: nn.Module, arguments: Any) -> None:
        if module not in found and arguments and isinstance(arguments[0], Tensor):
            axes = tracer.axes(arguments[0])
            found[module] = Input(tuple(arguments[0].shape[1:]), axes.flattened if axes else None)

    hooks = [module.register_forward_pre_hook(note) for module in modules]
    try:
        with evaluating(network), torch.inference_mode(), Tracer() as tracer:
            image = images[:1].clone()
            tracer.start(image)
            network.forward(image)
    finally:
        for each in hooks:
            each.remove()
    return found


def observed_layers(network: nn.Module) -> dict[str, nn.Module]:
    """Return the modules of any network but a ``convexp.models.Network`` that ``representations`` looks at, by name.

    Of an ``Ensemble`` there are none: its members have layers, and the mean over them has nothing but an output. The name of a
    layer that is called ``logits``, ``softmax`` or ``output`` becomes ``layer.logits`` and so on.
    """
    if isinstance(network, Ensemble):
        return {}
    part = named_part(network)
    named = isinstance(network, ImageNetwork)
    chosen = {name: part.get_submodule(name) for name in network.layers} if named else dict(part.named_children())
    found: dict[str, nn.Module] = {}
    for name, module in chosen.items():
        container = isinstance(module, nn.ModuleList | nn.ModuleDict)
        if container:
            found |= {f"{name}.{child}": each for child, each in module.named_children()}
        else:
            found[f"layer.{name}" if name in RESERVED else name] = module
    return found


def named_part(network: nn.Module) -> nn.Module:
    """Return the module in which layers have their names: that within an ``ImageNetwork``, or else the network itself."""
    return network.network if isinstance(network, ImageNetwork) else network


def forward_from(network: nn.Module, images: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """Return the output of a layer as a leaf that requires gradients, and the network's output, which depends on it."""
    kept: list[Tensor] = []

    def cut(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        tensor = _first_tensor(output)
        if tensor is None:
            return output
        kept[:] = [tensor.detach().requires_grad_()]
        above = kept[0].clone()  # a later layer may change it in place
        return above if output is tensor else type(output)(above if item is tensor else item for item in output)

    module = network.get_submodule(layer) if isinstance(network, Network) else observed_layers(network)[layer]
    hook = module.register_forward_hook(cut)
    try:
        with torch.enable_grad():
            output = network.forward(images)
    finally:
        hook.remove()
    return kept[0], output


def _watch(network: nn.Module, images: Tensor, keep: Callable[[Tensor], T]) -> tuple[dict[str, T], str | None, Tensor]:
    """Pass images through a network, and look at the output of every layer that is looked at.

    Returns:
        What ``keep`` makes of the output of each layer, the name of the last one if the network returns its output, changed
        in place or not, and what the network returns.
    """
    found: dict[str, T] = {}
    latest: list[tuple[str, Tensor]] = []

    def note(name: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
        tensor = _first_tensor(output)
        if tensor is not None:
            found.pop(name, None)  # the last call decides on the order, too
            found[name] = keep(tensor)
            latest[:] = [(name, tensor)]

    hooks = [module.register_forward_hook(partial(note, name)) for name, module in observed_layers(network).items()]
    try:
        output = network.forward(images)  # not network(images): compiled code would not call the hooks
    finally:
        for each in hooks:
            each.remove()
    return found, latest[0][0] if latest and latest[0][1] is output else None, output


def _first_tensor(output: Any) -> Tensor | None:
    if isinstance(output, Tensor):
        return output
    each: Any = next((item for item in output if isinstance(item, Tensor)), None) if isinstance(output, tuple | list) else None
    return each


def _position(output: Tensor, tracer: Tracer, dims: int) -> MapPositions | str:
    """The positions of the units of an output, or the reason why there are none."""
    axes = tracer.axes(output)
    shape = "x".join(map(str, output.shape[1:]))
    if output.dim() == 2:
        return f"its output is a vector ({shape}), not a map"
    if output.dim() < dims + 2:
        return f"its output ({shape} for an image) is a sequence, not a map"
    if output.dim() == dims + 2 and output[0, 0].numel() == 1:
        return f"its output ({shape} for an image) is one unit for all of the image"
    if axes is None:
        return f"its output ({shape} for an image) does not depend on the image"
    if axes.lost is not None:
        return f"where the units of its output ({shape}) lie on the image is not known after the operation {axes.lost}"
    return axes.positions(dims) or f"its output ({shape} for an image) is no map (channels, then space)"
