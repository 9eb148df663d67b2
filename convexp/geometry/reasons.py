"""Why a network is not equivariant to more shifts: a sentence for each layer that takes some away."""

from collections.abc import Iterator

from convexp.geometry.equivariance import Trace
from convexp.geometry.line import Line
from convexp.geometry.operations import Operation
from convexp.geometry.skeleton import Skeleton

LOST = {
    "by_location": "every location has weights of its own",
    "by_unit": "norm=batch_unit has a scale of its own for every unit",
    "unknown": "nothing is known of a wiring from elsewhere",
}


def reasons(skeleton: Skeleton, circular: list[Trace]) -> list[str]:
    """Return the sentences, each once, in the order of the layers.

    Args:
        skeleton: The skeleton.
        circular: Its operations along each dimension, for circular shifts.
    """
    found = dict.fromkeys(text for along in circular for text in _along(along))
    if skeleton.readout == "flatten":
        found["readout: flatten has weights of its own for every location, so that the answer changes"] = None
    return list(found)


def _along(found: Trace) -> Iterator[str]:
    before = None
    for operation, line in found:
        before = before or Line.of_pixels(line.pixels, "circle")
        for text in _reason(operation, before, line):
            yield f"{operation.layer}: {text}"
        if not line.placed:
            return
        before = line


def _reason(operation: Operation, before: Line, after: Line) -> Iterator[str]:
    if operation.role in LOST:
        yield LOST[operation.role]
    elif not after.placed:
        if operation.role == "selection":
            yield "which units adaptive sampling keeps depends on the whole map, the border included"
        else:
            yield "every unit sees the border"
    elif before.circular and not after.circular:
        yield _broken_circle(operation, before, after)
    if operation.stride > 1 and operation.role in ("window", "whole_image") and after.step > before.step:
        yield f"a stride of {operation.stride} leaves shifts by multiples of {after.stride} pixels"


def _broken_circle(operation: Operation, before: Line, after: Line) -> str:
    if len(after.placed) < after.units:
        return f"units near the border see its {operation.border}, which do not move along"
    return f"{after.units} units, {operation.stride} apart, do not close the circle of {before.units}"
