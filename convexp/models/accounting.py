"""What a network costs: parameters, FLOPs and time, layer by layer."""

import time
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from convexp.models.network import Network


@dataclass(frozen=True)
class LayerCount:
    """One layer: ``flops`` are those of the forward pass for one image, a multiply-add counted as two."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    flops: int


def leaves(network: Network) -> list[tuple[str, nn.Module]]:
    """The modules that hold parameters of their own, in order, with readable names."""
    return [(name, m) for name, m in network.named_modules() if list(m.parameters(recurse=False))]


def count(network: Network) -> list[LayerCount]:
    """Parameters and FLOPs of every layer that has parameters; works on the meta device, where nothing is computed."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        shapes[name] = tuple(output.shape[1:])

    hooks = [module.register_forward_hook(partial(note, name)) for name, module in leaves(network)]
    image = torch.zeros(1, *network.skeleton.input_shape, device=network.normalize.scale.device)
    training = network.training
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network.eval()(image)
    network.train(training)
    for hook in hooks:
        hook.remove()
    flops = {module: sum(ops.values()) for module, ops in counter.get_flop_counts().items()}
    return [
        LayerCount(
            name=name,
            kind=type(module).__name__,
            output_shape=shapes[name],
            parameters=sum(p.numel() for p in module.parameters(recurse=False)),
            flops=int(flops.get(f"{type(network).__name__}.{name}", 0)),
        )
        for name, module in leaves(network)
    ]


def forward_times(network: Network, images: Tensor, repeats: int = 5) -> dict[str, float]:
    """Milliseconds of each layer's forward pass over the batch ``images`` (B, C, H, W): median of ``repeats`` passes."""
    started: dict[str, float] = {}
    taken: dict[str, list[float]] = {}

    def now() -> float:
        if images.is_cuda:
            torch.cuda.synchronize(images.device)
        return time.perf_counter()

    def before(name: str, _module: nn.Module, _inputs: Any) -> None:
        started[name] = now()

    def after(name: str, _module: nn.Module, _inputs: Any, _output: Any) -> None:
        taken.setdefault(name, []).append((now() - started[name]) * 1000)

    hooks = [m.register_forward_pre_hook(partial(before, name)) for name, m in leaves(network)]
    hooks += [m.register_forward_hook(partial(after, name)) for name, m in leaves(network)]
    with torch.no_grad():
        for _ in range(repeats + 1):
            network.forward(images)  # not network(images): compiled code would not see the hooks
    for hook in hooks:
        hook.remove()
    return {name: median(values[1:]) for name, values in taken.items()}  # the first pass warms up
