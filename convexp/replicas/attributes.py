"""What a network holds beside parameters and buffers: what changes from batch to batch, and what is another network's own."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

OF_EVERY_MODULE = frozenset(vars(nn.Module()))  # parameters, buffers, modules and hooks among them
BY_VALUE = (int, float, complex, str, bytes, set, frozenset, torch.dtype, torch.device, type(None))


def attributes_of(network: nn.Module) -> dict[str, Any]:
    """Return the attributes of all modules by name, without those that every module has. Containers in them are copied."""
    return {
        f"{name}.{key}".lstrip("."): _copied(value)
        for name, module in network.named_modules()
        for key, value in vars(module).items()
        if key not in OF_EVERY_MODULE
    }


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Return the name of an attribute that was added, replaced or changed in place; None if there is none."""
    return next((name for name, value in after.items() if name not in before or not _is_left(before[name], value)), None)


def different(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Return the name of a number, text or tensor that differs between two networks of the same modules; None if none does."""
    return next((name for name in one.keys() | other.keys() if _differs(one.get(name), other.get(name))), None)


class _Seen:
    """A tensor, and how often it had been changed in place."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor, self.version = tensor, tensor._version


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return _Seen(value)
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(each) for each in value]
    return set(value) if isinstance(value, set) else value


def _is_left(one: Any, other: Any) -> bool:
    if isinstance(one, _Seen) and isinstance(other, _Seen):
        return one.tensor is other.tensor and one.version == other.version
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_left(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_left, one, other))
    return one is other or (isinstance(one, BY_VALUE) and type(one) is type(other) and one == other)


def _differs(one: Any, other: Any) -> bool:
    if isinstance(one, _Seen) and isinstance(other, _Seen):
        return not isinstance(one.tensor, nn.Parameter) and not torch.equal(one.tensor, other.tensor)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() != other.keys() or any(_differs(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) != len(other) or any(map(_differs, one, other))
    if isinstance(one, BY_VALUE) and isinstance(other, BY_VALUE):
        return one != other and (one == one or other == other)  # no number is no number in both
    return False
