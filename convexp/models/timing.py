"""What a network costs on this machine, measured layer by layer: time and memory, forward and backward."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from convexp.models.network import Network


@dataclass(frozen=True)
class LayerTime:
    """Time and memory of one layer on a batch, run alone.

    On a CPU the time is the process's own CPU time, of all its threads together, so that other processes on the same cores
    (runs of a sweep side by side, for example) do not count. On a GPU it is wall-clock time.

    Attributes:
        forward_ms: Median time of the forward pass, in milliseconds.
        backward_ms: Median time of the backward pass, in milliseconds.
        forward_peak_bytes: Peak of the memory in use during the forward pass above what was in use before, in bytes.
        backward_peak_bytes: The same for the backward pass.
    """

    forward_ms: float
    backward_ms: float
    forward_peak_bytes: int
    backward_peak_bytes: int


def layer_times(network: Network, images: Tensor, repeats: int = 5) -> dict[str, LayerTime]:
    """Measure time and memory of every module without submodules on a batch, in the order of the forward pass.

    The forward pass includes what it saves for the backward pass. The backward pass computes the gradients with respect to the
    parameters and, except below the first parameters, with respect to the input. Memory is what torch allocates, as its
    profiler counts it (on a GPU, as its allocator does).

    Args:
        network: The network, whose parameters and mode are left as they are.
        images: The batch, (B, C, H, W).
        repeats: Number of passes that the medians are taken over.
    """
    found: dict[str, LayerTime] = {}
    below = False  # whether there are parameters below, which the gradient in the input is passed on to
    modules = dict(network.named_modules())
    for name, x in _inputs(network, images).items():
        parameters = list(modules[name].parameters())
        found[name] = _layer_time(modules[name], x.detach().clone(), parameters, below, repeats)
        below = below or bool(parameters)
    return found


def _inputs(network: Network, images: Tensor) -> dict[str, Tensor]:
    """The input of every module without submodules, in the order of the forward pass."""
    inputs: dict[str, Tensor] = {}

    def note(name: str, _module: nn.Module, arguments: Any) -> None:
        inputs[name] = arguments[0]

    modules = {name: module for name, module in network.named_modules() if name and not list(module.children())}
    hooks = [module.register_forward_pre_hook(partial(note, name)) for name, module in modules.items()]
    with torch.no_grad():
        network.forward(images)  # not network(images): compiled code would not see the hooks
    for hook in hooks:
        hook.remove()
    return inputs


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
    """Return the largest memory in use during ``step`` above what was in use before it, in bytes; its result counts."""
    if cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        return torch.cuda.max_memory_allocated() - before
    with torch.profiler.profile(profile_memory=True) as profiled:
        result = step()
    recorded: Any = profiled.profiler
    events = sorted((e for e in recorded.kineto_results.events() if e.name() == "[memory]"), key=lambda e: e.start_ns())
    used = peak = 0
    for event in events:
        used += event.nbytes()
        peak = max(peak, used)
    del result  # alive until here, so that its memory is not given back within the profile
    return peak
