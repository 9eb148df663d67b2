"""How each operation of torch changes what is known of the axes of a tensor.

A rule gets the axes of the operation's input and its arguments by their names in torch's schema, and the shapes of input and
output. It returns the fields of the output's axes; an axis that it does not know is None.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from convexp.models.positions.axes import Axes, Axis, windows


@dataclass(frozen=True)
class Call:
    """A call of an operation.

    Attributes:
        arguments: The arguments by name.
        before: Shape of the input.
        after: Shape of the output.
    """

    arguments: dict[str, Any]
    before: tuple[int, ...]
    after: tuple[int, ...]

    def dim(self, name: str = "dim") -> int:
        """Return an argument that names an axis of the input, 0 or more."""
        return int(self.arguments[name]) % len(self.before)

    def sizes(self, name: str, dims: int, default: Any = 0) -> list[int]:
        """Return an argument with one value for each dimension, or one for all; ``default`` if it is missing or empty."""
        given: Any = self.arguments.get(name, default)
        given = default if given in ([], ()) else given
        values: list[int] = list(given) if isinstance(given, list | tuple) else [given]
        return values * dims if len(values) == 1 else values


Rule = Callable[[Axes, Call], "tuple[Axis, ...] | None"]


def keep(axes: Axes, _call: Call) -> tuple[Axis, ...]:
    """Entry by entry."""
    return axes.fields


def expand(axes: Axes, call: Call) -> tuple[Axis, ...] | None:
    """Axes of one entry repeated."""
    return axes.fields if len(call.after) == len(call.before) else None


def convolution(axes: Axes, call: Call) -> tuple[Axis, ...] | None:
    """Windows as large as the weight's last axes."""
    dims = len(call.after) - 2
    if call.arguments.get("transposed"):
        return None
    kernel, dilation = call.arguments["weight"].shape[-dims:], call.sizes("dilation", dims, 1)
    padding: Any = call.arguments.get("padding", 0)
    if isinstance(padding, str):
        same = padding == "same"  # torch puts the smaller half of an odd padding before the first entry
        before = [d * (k - 1) // 2 if same else 0 for k, d in zip(kernel, dilation, strict=True)]
    else:
        before = call.sizes("padding", dims)
    return _windowed(axes, kernel, call.sizes("stride", dims, 1), before, dilation)


def pooling(axes: Axes, call: Call) -> tuple[Axis, ...]:
    """Windows of the size that an argument gives, side by side unless another says otherwise."""
    dims = len(call.sizes("kernel_size", 1)) if len(call.before) < 3 else len(call.before) - 2
    kernel = call.sizes("kernel_size", dims)
    return _windowed(
        axes, kernel, call.sizes("stride", dims, kernel), call.sizes("padding", dims), call.sizes("dilation", dims, 1)
    )


def adaptive_pooling(axes: Axes, call: Call) -> tuple[Axis, ...]:
    """Windows side by side, if the output divides the input; one unit for all pixels has no position."""
    found = list(axes.fields)
    for axis in range(2, len(found)):
        n, units = call.before[axis], call.after[axis]
        regular = units > 1 and n % units == 0
        found[axis] = windows(found[axis], n // units, n // units, 0) if regular else None
    return tuple(found)


def _windowed(
    axes: Axes, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> tuple[Axis, ...]:
    start = len(axes.fields) - len(kernel)
    sizes = zip(axes.fields[start:], kernel, stride, padding, dilation, strict=True)
    return (*axes.fields[:start], *(windows(field, k, s, p, d) for field, k, s, p, d in sizes))


def pad(axes: Axes, call: Call) -> tuple[Axis, ...]:
    """A border, given for the last axis first, before and after."""
    found, border = list(axes.fields), call.arguments["pad"]
    for index, before in enumerate(border[::2]):
        axis = len(found) - 1 - index
        found[axis] = windows(found[axis], 1, 1, before)
    return tuple(found)


def cut(axes: Axes, call: Call) -> tuple[Axis, ...]:
    """Part of the entries along one axis, every ``step``-th of them."""
    found, dim = list(axes.fields), call.dim()
    start = int(call.arguments.get("start") or 0)
    start = start + call.before[dim] if start < 0 else min(start, call.before[dim])
    found[dim] = windows(found[dim], 1, int(call.arguments.get("step", 1)), -start)
    return tuple(found)


def parts(axes: Axes, call: Call) -> tuple[Axis, ...]:
    """Several tensors from one, of which only the first begins where the input does."""
    found = list(axes.fields)
    found[call.dim()] = None
    return tuple(found)


def permute(axes: Axes, call: Call) -> tuple[Axis, ...]:
    """Axes in another order."""
    return tuple(axes.fields[dim] for dim in call.arguments["dims"])


def transpose(axes: Axes, call: Call) -> tuple[Axis, ...]:
    """Two axes exchanged."""
    found, a, b = list(axes.fields), call.dim("dim0"), call.dim("dim1")
    found[a], found[b] = found[b], found[a]
    return tuple(found)


def reshape(axes: Axes, call: Call) -> tuple[Axis, ...]:
    """Other axes for the same entries in the same order: an axis stays if it has as many entries before it as it had."""
    known = {
        (prod(call.before[:i]), n): field for i, (n, field) in enumerate(zip(call.before, axes.fields, strict=True)) if n > 1
    }
    return tuple(known.get((prod(call.after[:i]), n)) for i, n in enumerate(call.after))


def reduce(axes: Axes, call: Call) -> tuple[Axis, ...]:
    """A sum, mean or maximum over some axes."""
    dims: Any = call.arguments.get("dim")
    given = range(len(call.before)) if dims in (None, [], ()) else dims if isinstance(dims, list | tuple) else [dims]
    over = {dim % len(call.before) for dim in given}
    kept = [(None if i in over else field) for i, field in enumerate(axes.fields)]
    return tuple(kept) if call.arguments.get("keepdim") else tuple(f for i, f in enumerate(kept) if i not in over)


def linear(axes: Axes, _call: Call) -> tuple[Axis, ...]:
    """A matrix applied to the last axis."""
    return (*axes.fields[:-1], None)


KEEP = (
    "batch_norm native_batch_norm _native_batch_norm_legit_no_training cudnn_batch_norm dropout dropout_ feature_dropout "
    "feature_dropout_ alpha_dropout contiguous clone detach alias to _to_copy type_as hardswish hardswish_ prelu lift_fresh "
    "softmax log_softmax _softmax group_norm native_group_norm instance_norm layer_norm native_layer_norm"
)
RESHAPE = ["view", "reshape", "_unsafe_view", "flatten", "unflatten", "unsqueeze", "squeeze", "view_as"]
CONVOLUTIONS = "conv1d conv2d conv3d convolution _convolution"
REDUCTIONS = "mean sum amax amin std var"
RULES: dict[str, Rule] = {
    **dict.fromkeys(KEEP.split(), keep),
    **dict.fromkeys(RESHAPE, reshape),
    **dict.fromkeys(CONVOLUTIONS.split(), convolution),
    "locally_connected": convolution,
    **dict.fromkeys(REDUCTIONS.split(), reduce),
    **{f"{kind}_pool{dims}d": pooling for kind in ("max", "avg") for dims in (1, 2, 3)},
    **{f"max_pool{dims}d_with_indices": pooling for dims in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{dims}d": adaptive_pooling for kind in ("max", "avg") for dims in (1, 2, 3)},
    **dict.fromkeys(("_adaptive_avg_pool2d", "_adaptive_avg_pool3d"), adaptive_pooling),
    **dict.fromkeys(("pad", "constant_pad_nd"), pad),
    **dict.fromkeys(("slice", "narrow"), cut),
    **dict.fromkeys(("chunk", "split", "split_with_sizes", "tensor_split", "glu"), parts),
    "expand": expand,
    "permute": permute,
    "transpose": transpose,
    "linear": linear,
}
"""The rule of every operation that keeps positions on the image, by its name in ``torch.ops``."""


def mixes_all(name: str, axes: Axes, arguments: dict[str, Any]) -> bool:
    """Return whether an operation takes statistics over an axis of the image, so that each output depends on all of it."""
    if "layer_norm" in name:
        over = axes.fields[-len(arguments["normalized_shape"]) :]
    elif "softmax" in name:
        over = (axes.fields[int(arguments["dim"])],)
    elif "batch_norm" in name:  # in evaluation it has its own statistics, unless it tracks none
        over = axes.fields if arguments.get("training") else ()
    else:
        over = axes.fields if name in ("group_norm", "native_group_norm", "instance_norm") else ()
    return any(field is not None for field in over)
