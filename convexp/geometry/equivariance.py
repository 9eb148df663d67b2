"""Under which shifts the maps of a skeleton are exactly equivariant, and its answer exactly invariant, before any training.

Weights are taken to be arbitrary: what holds, holds for all of them, and what is not listed fails for almost all of them. Batch
normalisation is meant as it computes in evaluation. Two ways to shift are told apart: on a circle (protocol ``circular``), and
with other pixels entering (``zero_fill``, ``crop``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd

from convexp.geometry.line import Line
from convexp.geometry.operations import Kept, Operation, operations
from convexp.geometry.skeleton import Skeleton
from convexp.geometry.wiring import Wiring

Trace = list[tuple[Operation, Line]]
"""Every operation along one dimension with the line of its output."""


@dataclass(frozen=True)
class Claim:
    """Along one dimension: ``f(T_δ x) = T_{δ/s} f(x)`` at which units, for which shifts δ; s is the total stride.

    Attributes:
        step: It holds for shifts by multiples of this many pixels; 0 for none, 1 for all.
        units: The units for which it holds, as far as the unit that each is compared with is one of them, too.
        everywhere: Whether it holds for all units, those at the border included.
        moves: Shifts by multiples of this many pixels move the whole map, by a number of units that depends on the image.
        known: False after a layer of which nothing is known.
    """

    step: int
    units: range
    everywhere: bool
    moves: int
    known: bool = True


@dataclass(frozen=True)
class Invariance:
    """For which shifts along one dimension the answer is exactly the same.

    Attributes:
        step: Shifts by multiples of this many pixels; 0 for none, 1 for all.
        content: The pixels among which everything that is not black has to lie, before the shift and after it.
        known: False after a layer of which nothing is known.
    """

    step: int
    content: range
    known: bool = True


def trace(skeleton: Skeleton, wiring: Wiring, dim: int, circular: bool) -> Trace:
    """Follow what units see along the dimension ``dim``, for shifts on a circle or not.

    Raises:
        ValueError: If a kernel, border or pooling window does not fit. The message names the stage.
    """
    line, found = Line.of_pixels(skeleton.input_shape[1 + dim], circular), list[tuple[Operation, Line]]()
    for operation in operations(skeleton, wiring, dim):
        line = line.after(operation)
        found.append((operation, line))
    return found


def claim(line: Line) -> Claim:
    """Return what holds for a map along one dimension."""
    if line.circular:
        exact = gcd(line.stride, line.pixels)
        return Claim(_or_none(exact, line.pixels), line.placed, True, _or_none(line.whole_step(), line.pixels), line.known)
    step = line.stride if line.placed else 0
    return Claim(step, line.placed, False, step, line.known)


def invariances(skeleton: Skeleton, wiring: Wiring, circular: bool) -> list[Invariance]:
    """Return for which shifts the answer is exactly the same, for each dimension.

    Args:
        skeleton: The skeleton.
        wiring: The wiring of its stages.
        circular: Whether shifts are circular, or zeros enter. In the second case, images are black outside of ``content``.

    Raises:
        ValueError: If a kernel, border or pooling window does not fit.
    """
    return [_invariance(skeleton, wiring, dim, circular) for dim in range(len(skeleton.input_shape) - 1)]


def _invariance(skeleton: Skeleton, wiring: Wiring, dim: int, circular: bool) -> Invariance:
    pixels = skeleton.input_shape[1 + dim]
    on_circle = trace(skeleton, wiring, dim, True)
    step = _circular_step(skeleton, on_circle, Line.of_pixels(pixels, True))
    known = not on_circle or on_circle[-1][1].known
    if step or circular or skeleton.readout == "flatten":
        return Invariance(step, range(pixels), known)  # what moves on black without being cut off moves on a circle
    moved = trace(skeleton, wiring, dim, False)
    line = moved[-1][1] if moved else Line.of_pixels(pixels, False)
    content = line.content()
    return Invariance(line.stride if len(content) > line.stride else 0, content, known)


def _circular_step(skeleton: Skeleton, found: Trace, start: Line) -> int:
    """The step of circular shifts under which the answer stays, 0 for none."""
    line = found[-1][1] if found else start
    if not line.circular or (skeleton.readout == "flatten" and line.units > 1):
        return 0
    step = line.step
    if skeleton.readout != "flatten":
        step = gcd(*_steps_before_readout(found, start, "mean" if skeleton.readout == "global_avg" else "max"))
    return _or_none(gcd(step, line.pixels), line.pixels)


def _steps_before_readout(found: Trace, start: Line, kept: Kept) -> Iterator[int]:
    """The steps of the last map, and of those before it of which the readout sees the same mean or maximum."""
    lines = [start, *(line for _, line in found)]
    yield lines[-1].step
    for (operation, _), before in zip(reversed(found), reversed(lines[:-1]), strict=True):
        if kept not in operation.keeps or not before.circular:
            return
        yield before.step


def _or_none(step: int, pixels: int) -> int:
    """The step, or 0 if its only multiples are shifts by all pixels, which are none."""
    return 0 if step == pixels > 1 else step
