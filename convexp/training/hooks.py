"""Whether a network's passes call hooks, which are left out where the passes are not made module by module."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

# Where torch keeps the hooks that users register: of a module in dictionaries, of a tensor in one, or None without any.
HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
_of_a_module = attrgetter(*HOOKS)
_of_a_tensor = attrgetter("_backward_hooks", "_post_accumulate_grad_hooks")


def has_hooks(modules: Iterable[nn.Module], parameters: Iterable[Tensor]) -> bool:
    """Whether a module or a parameter has a hook, or there is one of all modules, or a module's ``forward`` was replaced.

    Args:
        modules: The modules of a network, whose ``forward`` may have been replaced by ``compile`` or by an attribute.
        parameters: Its parameters.
    """
    return (
        any(getattr(torch.nn.modules.module, f"_global{name}") for name in HOOKS)
        or any(any(_of_a_module(module)) or _is_replaced(module) for module in modules)
        or any(any(_of_a_tensor(parameter)) for parameter in parameters)
    )


def _is_replaced(module: Any) -> bool:
    return "forward" in vars(module) or module._compiled_call_impl is not None
