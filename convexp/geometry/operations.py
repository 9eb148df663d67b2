"""A skeleton with its wiring as a sequence of operations along one dimension, from the pixels to the last map."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from convexp.geometry.pooling import PoolStep, pool_steps
from convexp.geometry.skeleton import PaddingMode, Skeleton, Stage
from convexp.geometry.windows import Size
from convexp.geometry.wiring import Wiring

Role = Literal["window", "whole_image", "selection", "pointwise", "by_unit", "by_location", "unknown"]
"""How an operation treats locations.

``window``: every unit sees a window, all with the same function. ``whole_image``: every unit sees all units, by offsets from
itself. ``selection``: every n-th unit is kept, from one on that depends on the whole map. ``pointwise``: every unit by itself.
``by_unit`` and ``by_location``: scales or weights that differ between locations. ``unknown``: a layer from elsewhere.
"""

Kept = Literal["mean", "max"]

MONOTONE = ("relu", "leaky_relu", "elu", "tanh", "lsa")  # activations that keep the order of numbers, ties apart


@dataclass(frozen=True)
class Operation:
    """One operation on maps, along one dimension.

    Unit i of its output sees the units ``i * stride + t`` of its input for every t of ``taps``.

    Attributes:
        layer: Name of the module in the network.
        role: How it treats locations.
        units: Number of units of its output.
        taps: Offsets of the units that unit 0 sees, in ascending order; negative ones lie in the border.
        stride: Distance between the windows of neighbouring units.
        border: What lies around the input.
        keeps: What of all units of a circular map is the same before and after: their ``mean``, apart from a factor and a
            constant for each channel, or their ``max``, apart from a monotone function.
    """

    layer: str
    role: Role
    units: int
    taps: tuple[int, ...] = (0,)
    stride: int = 1
    border: PaddingMode = "zeros"
    keeps: frozenset[Kept] = frozenset()


def operations(skeleton: Skeleton, wiring: Wiring, dim: int) -> Iterator[Operation]:
    """Yield the operations of all stages along the dimension ``dim``.

    Raises:
        ValueError: If a kernel, border or pooling window does not fit. The message names the stage.
    """
    for index, (stage, size) in enumerate(zip(skeleton.stages, skeleton.sizes(), strict=False)):
        name, units = f"stages.{index}", stage.wired_size(size)[dim]
        yield _wired(f"{name}.wiring", wiring, stage, size, dim)
        if skeleton.norm != "none":
            shared = skeleton.norm == "batch"
            kept = frozenset[Kept]({"mean"} if shared else ())
            yield Operation(f"{name}.norm", "pointwise" if shared else "by_unit", units, keeps=kept)
        if skeleton.activation != "none":
            kept = frozenset[Kept]({"max"} if skeleton.activation in MONOTONE else ())
            yield Operation(f"{name}.activation", "pointwise", units, keeps=kept)
        yield from _pooled(f"{name}.pool", stage, units, dim)


def _wired(layer: str, wiring: Wiring, stage: Stage, size: Size, dim: int) -> Operation:
    stride, padding, dilation = stage.stride[dim], stage.padding[dim], stage.dilation[dim]
    taps = tuple(tap * dilation - padding for tap in range(stage.kernel_size[dim]))
    role: Role = "by_location"
    if wiring.shares is None:
        role = "unknown"
    elif wiring.shares:
        role = "whole_image" if wiring.sees_all else "window"
    kept = frozenset[Kept]({"mean"} if role in ("window", "whole_image") and stride == 1 else ())
    return Operation(layer, role, stage.wired_size(size)[dim], taps, stride, stage.padding_mode, kept)


def _pooled(layer: str, stage: Stage, units: int, dim: int) -> Iterator[Operation]:
    size = stage.pool_size[dim]
    constant = stage.padding_mode == "circular" and size == units  # after a maximum around every unit: that of all
    for step in pool_steps(stage.pool, size, stage.blur_size[dim]):
        selects = step.kind == "select" and max(stage.pool_size) > 1
        taps = tuple(range(-step.before, step.size - step.before))
        kept = _kept(step) if units % step.stride == 0 else frozenset[Kept]()
        if constant and stage.pool in ("max_blur", "max_aps") and step.kind != "max":
            kept = frozenset[Kept]({"mean", "max"})
        units //= step.stride
        yield Operation(layer, "selection" if selects else "window", units, taps, step.stride, stage.padding_mode, kept)


def _kept(step: PoolStep) -> frozenset[Kept]:
    """What a pooling keeps of all units of a circular map that its windows divide."""
    if step.kind == "max":
        return frozenset({"max"})
    # Of the weights of a binomial filter the even and the odd ones have the same sum, so that every unit counts alike.
    even = step.kind == "blur" and (step.stride == 1 or (step.stride == 2 and step.size > 1))
    return frozenset({"mean"}) if step.kind == "avg" or even else frozenset()
