"""What a network costs on this machine, measured layer by layer: time and memory, forward and backward."""

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from convexp.models.calls import Call, calls_of_leaves


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


def layer_times(network: nn.Module, images: Tensor, repeats: int = 5) -> dict[str, LayerTime]:
    """Measure time and memory of every module that calls no other module on a batch, in the order of the forward pass.

    The forward pass includes what it saves for the backward pass. The backward pass computes the gradients with respect to the
    parameters and, except below the first parameters, with respect to the input. Memory is what torch allocates, as its
    profiler counts it (on a GPU, as its allocator does). A module called several times has the sum of the times of its calls,
    and the largest of their peaks. Activations that overwrite their input are measured as if they did not.

    Args:
        network: The network, whose parameters and mode are left as they are.
        images: The batch, (B, C, H, W).
        repeats: Number of passes that the medians are taken over.
    """
    found: dict[str, LayerTime] = {}
    below = False  # whether there are parameters below, which the gradient in the input is passed on to
    with _not_in_place(network):
        for call in calls_of_leaves(network, images):
            taken = _call_time(call, below, repeats)
            found[call.name] = _together(found[call.name], taken) if call.name in found else taken
            below = below or any(True for _ in call.module.parameters())
    return found


def _call_time(call: Call, below: bool, repeats: int) -> LayerTime:
    call = call.copied(below)
    x = call.tensors()[0]
    wanted = [*call.module.parameters(), *(tensor for tensor in call.tensors() if tensor.requires_grad)]
    with torch.enable_grad():
        times = [_milliseconds(call, x) for _ in range(repeats + 1)][1:]  # the first pass warms up
        forward_peak = peak_bytes(call, x.is_cuda)
        if not wanted:
            return LayerTime(median(times), 0.0, forward_peak, 0)
        output = call()
        above = torch.randn_like(output)
        total = output.sum()

        def given(_: Tensor) -> Tensor:  # given to torch.autograd.grad, it would make torch import SymPy to compare two shapes
            return above

        output.register_hook(given)

        def backward() -> tuple[Tensor, ...]:
            return torch.autograd.grad(total, wanted, retain_graph=True, allow_unused=True)

        back = [_milliseconds(backward, x) for _ in range(repeats + 1)][1:]
        return LayerTime(median(times), median(back), forward_peak, peak_bytes(backward, x.is_cuda))


def _together(one: LayerTime, other: LayerTime) -> LayerTime:
    return LayerTime(
        one.forward_ms + other.forward_ms,
        one.backward_ms + other.backward_ms,
        max(one.forward_peak_bytes, other.forward_peak_bytes),
        max(one.backward_peak_bytes, other.backward_peak_bytes),
    )


@contextmanager
def _not_in_place(network: nn.Module) -> Generator[None]:
    """A context in which no activation overwrites its input, which is needed again."""
    changed: list[Any] = [module for module in network.modules() if getattr(module, "inplace", None) is True]
    for module in changed:
        module.inplace = False
    try:
        yield
    finally:
        for module in changed:
            module.inplace = True


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
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler prints lines of its own when it starts
    recorded: Any = torch.autograd.profiler.profile(use_kineto=True, profile_memory=True)  # torch.profiler imports the compiler
    with recorded:
        result = step()
    events = sorted((e for e in recorded.kineto_results.events() if e.name() == "[memory]"), key=lambda e: e.start_ns())
    used = peak = 0
    for event in events:
        used += event.nbytes()
        peak = max(peak, used)
    del result  # alive until here, so that its memory is not given back within the profile
    return peak
