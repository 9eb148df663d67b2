"""One forward pass of a network, observed module by module: shapes of outputs, and FLOPs."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


@dataclass
class ForwardPass:
    """What a forward pass of one image does, by module.

    Attributes:
        shapes: Shape of the module's output in its last call, without the batch dimension.
        flops: FLOPs of all calls of the module, without those of its submodules.
    """

    shapes: dict[nn.Module, tuple[int, ...]] = field(default_factory=dict[nn.Module, tuple[int, ...]])
    flops: dict[nn.Module, int] = field(default_factory=dict[nn.Module, int])


def observe_forward(network: nn.Module, input_shape: tuple[int, ...]) -> ForwardPass:
    """Observe the forward pass of one black image in evaluation mode; the mode of every module is kept.

    Args:
        network: The network.
        input_shape: Shape of an image, (C, H, W), or of a signal, (C, L).
    """
    seen, counter = ForwardPass(), FlopCounterMode(display=False)
    before, below = [0], [0]  # of each call that is not finished: FLOPs before it, and FLOPs of its submodules so far

    def enter(_module: nn.Module, _inputs: Any) -> None:
        before.append(counter.get_total_flops())
        below.append(0)

    def leave(module: nn.Module, _inputs: Any, output: Any) -> None:
        flops = counter.get_total_flops() - before.pop()
        seen.flops[module] = seen.flops.get(module, 0) + flops - below.pop()
        if below:
            below[-1] += flops
        if isinstance(output, Tensor):
            seen.shapes[module] = tuple(output.shape[1:])

    image = torch.zeros(1, *input_shape, device=device_of(network), dtype=_dtype_of(network))
    with evaluating(network), torch.no_grad(), plain_attention(), counter:
        submodules = [module for name, module in network.named_modules() if name]
        with hooked(submodules, enter, leave):
            output = network.forward(image)  # not network(image): compiled code would not call the hooks
        leave(network, None, output)
    return seen


def device_of(network: nn.Module) -> torch.device:
    """Return the device of the first parameter or buffer; the CPU if there is none."""
    return next((tensor.device for tensor in chain(network.parameters(), network.buffers())), torch.device("cpu"))


def _dtype_of(network: nn.Module) -> torch.dtype:
    """The type of the first parameter, which images usually have; single precision if there is none of floating point."""
    return next((each.dtype for each in network.parameters() if each.is_floating_point()), torch.float32)


@contextmanager
def evaluating(network: nn.Module) -> Generator[None]:
    """A context in which the network is in evaluation mode; afterwards every module has its own mode again."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


@contextmanager
def hooked(modules: list[nn.Module], enter: Any, leave: Any) -> Generator[None]:
    """A context in which ``enter(module, inputs)`` and ``leave(module, inputs, output)`` are called around each module."""
    hooks = [module.register_forward_pre_hook(enter) for module in modules]
    hooks += [module.register_forward_hook(leave) for module in modules]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def plain_attention() -> Generator[None]:
    """A context in which attention is computed by products of matrices, whose FLOPs torch counts on every device."""
    fast: bool = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
