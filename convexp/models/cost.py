"""What a network costs: parameters, FLOPs, time and memory, layer by layer."""

import time
from collections.abc import Callable
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
    """Parameters and FLOPs of every layer that has parameters; works on the meta device, where nothing is computed.

    Raises:
        ValueError: if the layer of a stage does not return what the skeleton says.
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        shapes[name] = tuple(output.shape[1:])

    hooks = [module.register_forward_hook(partial(note, name)) for name, module in leaves(network)]
    hooks += [layer.register_forward_hook(partial(_check, name, shape)) for name, layer, shape in _wired(network)]
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


def _wired(network: Network) -> list[tuple[str, nn.Module, tuple[int, ...]]]:
    """Name, layer and shape (O, H', W') of what it has to return, of every stage."""
    skeleton = network.skeleton
    shapes = [(stage.channels, *stage.wired_size(size)) for stage, size in zip(skeleton.stages, skeleton.sizes(), strict=False)]
    return [(name, layer, shape) for (name, layer), shape in zip(network.wired_layers(), shapes, strict=True)]


def _check(name: str, shape: tuple[int, ...], layer: nn.Module, _inputs: Any, output: Any) -> None:
    found = tuple(output.shape[1:]) if isinstance(output, Tensor) else type(output).__name__
    if found != shape:
        raise ValueError(f"{name}: {type(layer).__name__} returns {found} for an image; should return {shape}")


def summed(layers: list[LayerCount]) -> dict[str, Any]:
    """What a result notes of a network: ``parameters`` and ``flops`` of all layers, and the ``layers``."""
    return {
        "parameters": sum(layer.parameters for layer in layers),
        "flops": sum(layer.flops for layer in layers),
        "layers": [vars(layer) for layer in layers],
    }


@dataclass(frozen=True)
class LayerTime:
    """One layer on a batch, alone: median milliseconds, and the peak of memory in bytes above what was there before.

    On a CPU milliseconds are those that the process got, of all its threads together: what other processes, such as the runs of
    a sweep side by side, do on the same cores is not counted. On a GPU they are those of the clock.
    """

    forward_ms: float
    backward_ms: float
    forward_peak_bytes: int
    backward_peak_bytes: int


def measured(network: Network, images: Tensor, repeats: int = 5) -> dict[str, LayerTime]:
    """Time and memory of every module without parts, on the batch ``images`` (B, C, H, W), in the order of the forward pass.

    Forward is with what it keeps for the backward pass, backward the gradients in the parameters and, except below the first
    parameters, in the input. Memory is what torch allocates, as its profiler counts it (on a GPU the allocator).
    """
    inputs: dict[str, Tensor] = {}
    modules = {name: module for name, module in network.named_modules() if name and not list(module.children())}

    def note(name: str, _module: nn.Module, arguments: Any) -> None:
        inputs[name] = arguments[0]

    hooks = [module.register_forward_pre_hook(partial(note, name)) for name, module in modules.items()]
    with torch.no_grad():
        network.forward(images)  # not network(images): compiled code would not see the hooks
    for hook in hooks:
        hook.remove()
    found: dict[str, LayerTime] = {}
    below = False
    for name, x in inputs.items():
        parameters = list(modules[name].parameters())
        found[name] = _layer_time(modules[name], x.detach().clone(), parameters, below, repeats)
        below = below or bool(parameters)
    return found


def _layer_time(module: nn.Module, x: Tensor, parameters: list[nn.Parameter], below: bool, repeats: int) -> LayerTime:
    x = x.requires_grad_(below and x.is_floating_point())
    wanted = [*parameters, *([x] if x.requires_grad else [])]

    def forward() -> Tensor:
        return module(x)

    with torch.enable_grad():
        times = [_milliseconds(forward, x) for _ in range(repeats + 1)][1:]  # the first pass warms up
        forward_peak = peak_bytes(forward, x.is_cuda)
        if not wanted:
            return LayerTime(median(times), 0.0, forward_peak, 0)
        output = module(x)
        above = torch.randn_like(output)

        def backward() -> tuple[Tensor, ...]:
            return torch.autograd.grad(output, wanted, above, retain_graph=True)

        back = [_milliseconds(backward, x) for _ in range(repeats + 1)][1:]
        return LayerTime(median(times), median(back), forward_peak, peak_bytes(backward, x.is_cuda))


def _milliseconds(step: Callable[[], Any], x: Tensor) -> float:
    clock = time.process_time if x.device.type == "cpu" else time.perf_counter
    start = clock()
    step()
    if x.is_cuda:
        torch.cuda.synchronize(x.device)
    return (clock() - start) * 1000


def peak_bytes(step: Callable[[], Any], cuda: bool = False) -> int:
    """Largest memory in use during ``step`` above what was in use before, its results included."""
    if cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        return torch.cuda.max_memory_allocated() - before
    with torch.profiler.profile(profile_memory=True) as profiled:
        kept = step()
    recorded: Any = profiled.profiler
    events = sorted((e for e in recorded.kineto_results.events() if e.name() == "[memory]"), key=lambda e: e.start_ns())
    used = peak = 0
    for event in events:
        used += event.nbytes()
        peak = max(peak, used)
    del kept
    return peak
