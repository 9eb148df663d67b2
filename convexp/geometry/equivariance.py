"""Under which shifts the maps of a skeleton are exactly equivariant, and its answer exactly invariant, before any training.

Weights are taken to be arbitrary: what holds, holds for all of them, and what is not listed fails for almost all of them. Batch
normalisation is meant as it computes in evaluation. Two ways to shift are told apart: on a circle (protocol ``circular``), and
with other pixels entering (``zero_fill``, ``crop``).
"""

from dataclasses import dataclass
from math import gcd

from convexp.geometry.line import Line, Shifting
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


def trace(skeleton: Skeleton, wiring: Wiring, dim: int, shifting: Shifting) -> Trace:
    """Follow what units see along the dimension ``dim``, for one way of shifting.

    Raises:
        ValueError: If a kernel, border or pooling window does not fit. The message names the stage.
    """
    line, found = Line.of_pixels(skeleton.input_shape[1 + dim], shifting), list[tuple[Operation, Line]]()
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
    lines = _lines_before_readout(skeleton, wiring, dim, "circle")
    step = _circular_step(skeleton, lines)
    if step or circular or skeleton.readout == "flatten":
        return Invariance(step, range(pixels), lines[0].known)  # what moves on black without being cut off moves on a circle
    line = _lines_before_readout(skeleton, wiring, dim, "black")[-1]
    content = line.content()
    return Invariance(line.stride if len(content) > line.stride else 0, content, line.known)


def _circular_step(skeleton: Skeleton, lines: list[Line]) -> int:
    """The step of circular shifts under which the answer stays, 0 for none."""
    last = lines[0]
    if not last.circular or (skeleton.readout == "flatten" and last.units > 1):
        return 0
    seen = lines[:1] if skeleton.readout == "flatten" else lines
    return _or_none(gcd(*(line.step for line in seen), last.pixels), last.pixels)


def _lines_before_readout(skeleton: Skeleton, wiring: Wiring, dim: int, shifting: Shifting) -> list[Line]:
    """The last line, and those before it of which a global readout sees the same mean or maximum, from the last one back."""
    found = trace(skeleton, wiring, dim, shifting)
    lines = [Line.of_pixels(skeleton.input_shape[1 + dim], shifting), *(line for _, line in found)]
    kept: Kept = "mean" if skeleton.readout == "global_avg" else "max"
    same = lines[-1:]
    for (operation, _), before in zip(reversed(found), reversed(lines[:-1]), strict=True):
        within = operation.taps[0] >= 0 and not operation.layer.endswith(".wiring")  # sees no border, and every unit alike
        if kept not in operation.keeps or not (before.circular or (shifting == "black" and within)):
            break
        same.append(before)
    return same


def _or_none(step: int, pixels: int) -> int:
    """The step, or 0 if its only multiples are shifts by all pixels, which are none."""
    return 0 if step == pixels > 1 else step
