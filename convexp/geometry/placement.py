"""Where images lie and how far they move, as plain data (design.md, section 4: the three shift protocols).

Torch-free, so that a configuration can be checked before torch is imported. Offsets are whole pixels per dimension, down and
right first positive; ``convexp.data`` draws them and moves the pixels.
"""

from dataclasses import dataclass
from typing import Any, Literal

from convexp.geometry import Size

Protocol = Literal["zero_fill", "circular", "crop"]


@dataclass(frozen=True)
class Uniform:
    """Offsets drawn uniformly from all whole pixels from ``low`` to ``high``, both included, per dimension."""

    low: Size
    high: Size
    fixed = False  # there is something to draw


@dataclass(frozen=True)
class OneOf:
    """Offsets drawn uniformly from a list; a list of one is a fixed offset."""

    offsets: tuple[Size, ...]

    @property
    def fixed(self) -> bool:
        """Whether there is nothing to draw."""
        return len(set(self.offsets)) == 1

    @property
    def low(self) -> Size:
        """Smallest offset per dimension."""
        return tuple(map(min, zip(*self.offsets, strict=True)))

    @property
    def high(self) -> Size:
        """Largest offset per dimension."""
        return tuple(map(max, zip(*self.offsets, strict=True)))


Offsets = Uniform | OneOf
Choice = str | int | float | list[int] | list[list[int]]  # offsets as a user writes them


def listed(choice: Choice, dims: int) -> OneOf | None:
    """``[down, right]`` or a list of those as offsets; None if ``choice`` is no list.

    Raises:
        ValueError: if an offset does not have one number per dimension.
    """
    if not isinstance(choice, list):
        return None
    nested: Any = choice if all(isinstance(offset, list) for offset in choice) else [choice]
    if not nested or any(len(offset) != dims for offset in nested):
        raise ValueError(f"should have {dims} whole numbers, one per dimension, or be a list of such lists")
    return OneOf(tuple(tuple(offset) for offset in nested))


def positions(choice: Choice, image_size: Size, canvas_size: Size) -> Offsets:
    """Where on the canvas the first pixel of an image lies: ``centre``, ``random``, ``[row, column]`` or a list of those.

    Raises:
        ValueError: if the image would not lie on the canvas, or there is but one place for it to be drawn from.
    """
    room = tuple(c - n for c, n in zip(canvas_size, image_size, strict=True))
    if choice == "centre":
        return OneOf((tuple(r // 2 for r in room),))
    if choice == "random":
        if not any(room):
            raise ValueError("has no room to choose from; data.canvas should be larger than the image")
        return Uniform((0,) * len(room), room)
    fixed = listed(choice, len(room))
    if fixed is None:
        raise ValueError("should be centre, random, [row, column] or a list of those")
    if min(fixed.low) < 0 or any(high > r for high, r in zip(fixed.high, room, strict=True)):
        raise ValueError(f"should lie between {[0] * len(room)} and {list(room)}, so that the image is on the canvas")
    return fixed


def shifts(choice: Choice, size: Size) -> Offsets:
    """Shifts of images of ``size``: up to a number of pixels or share of the size each way, ``[down, right]``, or a list.

    A share is rounded to whole pixels.

    Raises:
        ValueError: if it is none of these, or a shift is as large as the image.
    """
    offsets = listed(choice, len(size))
    if offsets is None:
        if not isinstance(choice, int | float) or not choice >= 0 or (isinstance(choice, float) and choice >= 1):
            raise ValueError("should be whole pixels (0, 1, ...), a share of the size (below 1.0), [down, right], or a list")
        reach = tuple(choice if isinstance(choice, int) else round(choice * n) for n in size)
        offsets = OneOf((reach,)) if not any(reach) else Uniform(tuple(-r for r in reach), reach)
    if any(r >= n for r, n in zip(reach_of(offsets), size, strict=True)):
        raise ValueError(f"should be smaller than the {'x'.join(map(str, size))} pixels that are shifted")
    return offsets


def reach_of(offsets: Offsets) -> Size:
    """Largest offset in either direction, per dimension."""
    return tuple(max(-low, high, 0) for low, high in zip(offsets.low, offsets.high, strict=True))


@dataclass(frozen=True)
class Placement:
    """Images of ``image_size`` lie at ``position`` on a black canvas and are shifted by ``protocol``, each part by its own.

    ``zero_fill`` moves the content of the canvas, what leaves it is cut off; ``circular`` lets it come in again on the other
    side; ``crop`` moves a window of ``input_size`` over the canvas. The training shifts are drawn anew in every epoch,
    everything else once.
    """

    image_size: Size
    canvas_size: Size
    input_size: Size
    position: Offsets
    protocol: Protocol
    train: Offsets
    val: Offsets
    test: Offsets


def window_size(canvas_size: Size, window: int | None, reach: Size) -> Size:
    """Size of what is seen of the canvas under ``crop``: ``window``, or as large as shifts of ``reach`` pixels leave.

    Raises:
        ValueError: if a shifted window would leave the canvas.
    """
    largest = tuple(n - 2 * r for n, r in zip(canvas_size, reach, strict=True))
    wanted = largest if window is None else (window,) * len(canvas_size)
    if any(not 1 <= w <= most for w, most in zip(wanted, largest, strict=True)):
        sizes = "x".join(map(str, canvas_size))
        raise ValueError(f"shifts of {max(reach)} pixels leave {max(0, min(largest))} of the {sizes} pixels for the window")
    return wanted
