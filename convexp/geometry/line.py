"""What the units of a map see of the pixels, followed from operation to operation along one dimension.

All lengths are in pixels, unless they are said to be in units. A unit is *placed* if its value is a function of the pixels
around its place that is the same at every place: it does not see the border, nor anything else by which it could tell where it
is.
"""

from dataclasses import dataclass, field
from math import gcd
from typing import Literal

from convexp.geometry.operations import Operation
from convexp.geometry.skeleton import PaddingMode

Shifting = Literal["circle", "free", "black"]
"""How the image is shifted: on a circle, so that what leaves it enters at the other side; freely, so that other pixels enter;
or on black, so that nothing enters and nothing leaves.
"""


@dataclass(frozen=True)
class Line:
    """The units of a map along one dimension.

    Attributes:
        pixels: Number of pixels of the image.
        units: Number of units.
        first: First pixel of unit 0's receptive field; negative in the border.
        size: Number of pixels of a receptive field.
        stride: Distance between the fields of neighbouring units.
        placed: The units that are placed.
        shifting: How the image is shifted.
        step: A circular shift by a multiple of this many pixels moves the map by whole units; how many, may depend on the
            image. It is less than the stride after adaptive sampling, and without a meaning if the map is not circular.
        seen: For every unit that is not placed the pixels that it sees, as bits of an integer.
        known: False after a layer of which nothing is known.
    """

    pixels: int
    units: int
    first: int = 0
    size: int = 1
    stride: int = 1
    placed: range = range(0)
    shifting: Shifting = "free"
    step: int = 1
    seen: dict[int, int] = field(default_factory=dict[int, int])
    known: bool = True

    @staticmethod
    def of_pixels(pixels: int, shifting: Shifting) -> "Line":
        """Return the line of the image itself."""
        return Line(pixels, pixels, placed=range(pixels), shifting=shifting)

    @property
    def circular(self) -> bool:
        """Whether the map is a circle, too: all its units are placed, and unit ``i + units`` would be unit i."""
        on_circle = self.shifting == "circle" and len(self.placed) == self.units
        return on_circle and self.units * self.stride % self.pixels == 0

    def after(self, operation: Operation) -> "Line":
        """Return the line of the map that the operation makes of this one."""
        if operation.role == "pointwise":
            return self
        stride, taps, placed = self.stride * operation.stride, operation.taps, self._placed_after(operation)
        return Line(
            pixels=self.pixels,
            units=operation.units,
            first=self.first + taps[0] * self.stride,
            size=self.size + (taps[-1] - taps[0]) * self.stride,
            stride=stride,
            placed=placed,
            shifting=self.shifting,
            step=self._step_after(operation) if self.circular else stride,
            seen={i: self._seen_by(operation, i) for i in range(operation.units) if i not in placed},
            known=self.known and operation.role != "unknown",
        )

    def content(self) -> range:
        """Return the pixels that only placed units see: what moves among them moves the map along, and changes nothing else."""
        first = max(0, self.first + self.stride * (self.placed.start - 1) + self.size)
        end = min(self.pixels, self.first + self.stride * self.placed.stop)
        others = 0
        for pixels in self.seen.values():
            others |= pixels
        runs, start = [range(0)], first
        for pixel in range(first, end + 1):
            if pixel == end or others >> pixel & 1:
                runs.append(range(start, pixel))
                start = pixel + 1
        return max(runs, key=len) if self.placed else range(0)

    def whole_step(self) -> int:
        """Return the step as a divisor of the number of pixels, since a circular shift by all of them is none."""
        return gcd(self.step, self.pixels)

    def _placed_after(self, operation: Operation) -> range:
        """The units of the operation's output that are placed; they lie side by side."""
        on_circle = self.circular and operation.border == "circular"
        if operation.role == "selection" and self.shifting != "black":  # on black, the norms stay, and so does the choice
            return range(operation.units if self.circular else 0)
        if operation.role == "whole_image":
            return range(operation.units if on_circle else 0)
        if operation.role not in ("window", "selection"):
            return range(0)
        if on_circle:
            return range(operation.units)
        ends = (operation.taps[0], operation.taps[-1])
        inside = [i for i in range(operation.units) if all(i * operation.stride + tap in self.placed for tap in ends)]
        return range(inside[0], inside[-1] + 1) if inside else range(0)

    def _step_after(self, operation: Operation) -> int:
        """The step of a map that is still circular."""
        of_all_units = operation.units == 1 and bool(operation.keeps)
        if operation.stride == 1 or operation.role == "selection" or self.units == 1 or of_all_units:
            return self.step
        return self.stride * operation.stride

    def _seen_by(self, operation: Operation, unit: int) -> int:
        if operation.role not in ("window", "selection"):
            return (1 << self.pixels) - 1
        pixels = 0
        for tap in operation.taps:
            at = border_unit(unit * operation.stride + tap, self.units, operation.border)
            pixels |= 0 if at is None else self._pixels_of(at)
        return pixels

    def _pixels_of(self, unit: int) -> int:
        if unit in self.seen:
            return self.seen[unit]
        first = self.first + unit * self.stride
        low, high = max(0, first), min(self.pixels, first + self.size)
        return (1 << high) - (1 << low) if high > low else 0


def border_unit(index: int, units: int, border: PaddingMode) -> int | None:
    """Return which of ``units`` lies at ``index``, which may be in the border; None for a border of zeros."""
    if 0 <= index < units:
        return index
    if border == "circular":
        return index % units
    if border == "replicate":
        return min(max(index, 0), units - 1)
    if border == "reflect":
        return -index if index < 0 else 2 * (units - 1) - index
    return None
