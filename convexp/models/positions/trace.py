"""Follow a forward pass, operation by operation, and note where on the image the entries of each tensor lie."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from convexp.geometry.skeleton import ReceptiveField
from convexp.models.positions.axes import Axes, Axis, union
from convexp.models.positions.rules import RESHAPE, RULES, Call, keep, mixes_all


class Tracer(TorchDispatchMode):
    """A context within which operations on the image are followed; used within ``torch.inference_mode()``.

    Whatever an operation outside the table ``RULES`` returns has no known positions. Nothing is guessed from sizes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, tuple[Tensor, Axes]] = {}  # by id; the tensors are kept, so that no id is used twice
        self._memory: set[int] = set()  # addresses of what the tensors that are known lie in

    def start(self, image: Tensor) -> None:
        """Take ``image``, (1, C, *size), as the image: every pixel lies where it is."""
        self._note(image, Axes((None, None, *(ReceptiveField(0, 1, 1),) * (image.dim() - 2))))

    def axes(self, tensor: Tensor) -> Axes | None:
        """Return what is known of a tensor; None if it was not computed from the image."""
        found = self._known.get(id(tensor))
        if found is None and _address(tensor) in self._memory:  # something was written into a part of it
            return Axes((None,) * tensor.dim(), True, "assignment to a part")
        return None if found is None else found[1]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Called by torch for every operation."""
        outputs = func(*args, **(kwargs or {}))
        arguments = _by_name(func, args, kwargs or {})
        inputs = [tensor for tensor in _tensors(arguments.values()) if self.axes(tensor) is not None]
        if inputs:
            made = [(output, self._after(func, arguments, inputs, output)) for output in _tensors([outputs])]
            for output, axes in made:
                if func._schema.is_mutable:
                    self._forget_others(output)
                self._note(output, axes)
        return outputs

    def _after(self, func: Any, arguments: dict[str, Any], inputs: list[Tensor], output: Tensor) -> Axes:
        name = func.name().partition("::")[2].partition(".")[0]
        known = [axes for tensor in inputs if (axes := self.axes(tensor)) is not None]
        shape, whole = tuple(output.shape), any(axes.whole for axes in known)
        lost = next((axes.lost for axes in known if axes.lost), None)
        first = arguments[func._schema.arguments[0].name]
        if torch.Tag.pointwise in func.tags or name in ("copy_", "where"):
            fields = _aligned([(tuple(t.shape), axes) for t, axes in zip(inputs, known, strict=True)], shape)
        elif name == "cat":
            fields = _concatenated(known, int(arguments["dim"]) % len(shape))
        elif name in RULES and first is inputs[0] and len(inputs) == 1:
            found = RULES[name](known[0], Call(arguments, tuple(first.shape), shape))
            fields = (None,) * len(shape) if found is None or len(found) != len(shape) else found
            whole = whole or mixes_all(name, known[0], arguments)
        else:
            fields = (None,) * len(shape)
        flattened = self._flattened(name, func, known, first, shape)
        now, before = _count(fields), max(_count(axes.fields) for axes in known)
        if now < before:
            return Axes(fields, True, name, flattened)
        return Axes(fields, whole, None if now else lost, flattened)

    @staticmethod
    def _flattened(name: str, func: Any, known: list[Axes], first: Any, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """The shape of the map whose entries the output holds in order, if the output is a vector."""
        if len(shape) != 2 or len(known) != 1 or not isinstance(first, Tensor):
            return None
        if name in RESHAPE and known[0].positions(first.dim() - 2) is not None:
            return tuple(first.shape[1:])
        entrywise = torch.Tag.pointwise in func.tags or RULES.get(name) is keep
        return known[0].flattened if entrywise and tuple(first.shape) == shape else None

    def _note(self, tensor: Tensor, axes: Axes) -> None:
        self._known[id(tensor)] = (tensor, axes)
        self._memory.add(_address(tensor))

    def _forget_others(self, changed: Tensor) -> None:
        """Forget what is known of tensors that lie in the same memory as one that was changed in place."""
        others = [
            id(tensor) for tensor, _ in self._known.values() if tensor is not changed and _address(tensor) == _address(changed)
        ]
        for each in others:
            tensor = self._known[each][0]
            self._known[each] = (tensor, Axes((None,) * tensor.dim(), True, "assignment to a part"))


def _by_name(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by their names in the schema, those left out with their defaults."""
    schema = func._schema.arguments
    defaults = {a.name: a.default_value for a in schema if a.has_default_value()}
    return defaults | dict(zip((a.name for a in schema), args, strict=False)) | kwargs


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _count(fields: Sequence[Axis]) -> int:
    """Number of axes that are the image's."""
    return sum(field is not None for field in fields)


def _tensors(values: Any) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _tensors(value)
    return found


def _aligned(inputs: list[tuple[tuple[int, ...], Axes]], shape: tuple[int, ...]) -> tuple[Axis, ...]:
    """The fields after an operation entry by entry, whose inputs are broadcast to ``shape`` from the last axis on."""
    found: list[Axis] = []
    for axis in range(-len(shape), 0):
        there = [axes.fields[axis] for size, axes in inputs if len(size) >= -axis and size[axis] == shape[axis] > 1]
        fields = [field for field in there if field is not None]
        found.append(union(fields) if fields and len(fields) == len(there) else None)
    return tuple(found)


def _concatenated(known: list[Axes], dim: int) -> tuple[Axis, ...]:
    """The fields after tensors of one number of axes are put behind each other along ``dim``."""
    columns = [
        [field for field in column if field is not None] for column in zip(*(axes.fields for axes in known), strict=True)
    ]
    return tuple(union(c) if len(c) == len(known) and axis != dim else None for axis, c in enumerate(columns))
