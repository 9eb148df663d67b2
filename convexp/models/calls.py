"""The calls of modules within a forward pass, kept to be made again."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Call:
    """A call of a module within a forward pass.

    Attributes:
        name: Name of the module in the network.
        module: The module.
        arguments: What it is given by position.
        named: What it is given by name.
    """

    name: str
    module: nn.Module
    arguments: tuple[Any, ...]
    named: dict[str, Any]

    def copied(self, below: bool) -> "Call":
        """Return the call with copies of its tensors; those of floating point ask for a gradient if ``below``."""
        copies: dict[int, Tensor] = {}  # by the id of the tensor, as attention may be given the same one three times

        def copy(value: Any) -> Any:
            if isinstance(value, Tensor) and id(value) not in copies:
                copies[id(value)] = value.detach().clone().requires_grad_(below and value.is_floating_point())
            return copies.get(id(value), value)

        named = {name: copy(value) for name, value in self.named.items()}
        return Call(self.name, self.module, tuple(map(copy, self.arguments)), named)

    def tensors(self) -> list[Tensor]:
        """Return the different tensors among the arguments."""
        found = [value for value in (*self.arguments, *self.named.values()) if isinstance(value, Tensor)]
        return list({id(value): value for value in found}.values())

    def __call__(self) -> Tensor:
        """Call the module and return its output, or the first of several."""
        output = self.module(*self.arguments, **self.named)
        return output if isinstance(output, Tensor) else output[0]


def calls_of_leaves(network: nn.Module, images: Tensor) -> list[Call]:
    """Return the calls of modules that call no other module and are given a tensor, in the order of the forward pass."""
    calls, running = list[Call](), list[bool]()  # whether each call that is not finished has called another module

    def enter(_module: nn.Module, _arguments: Any, _named: Any) -> None:
        running[:] = [True] * len(running)
        running.append(False)

    def leave(name: str, module: nn.Module, arguments: Any, named: Any, _output: Any) -> None:
        call = Call(name, module, arguments, named)
        if not running.pop() and call.tensors():
            calls.append(call)

    modules = {name: module for name, module in network.named_modules() if name}
    hooks = [module.register_forward_pre_hook(enter, with_kwargs=True) for module in modules.values()]
    hooks += [m.register_forward_hook(partial(leave, name), with_kwargs=True) for name, m in modules.items()]
    try:
        with torch.no_grad():
            network.forward(images)  # not network(images): compiled code would not see the hooks
    finally:
        for hook in hooks:
            hook.remove()
    return calls
