"""Where images lie on their canvas and how far they are shifted, as plain data (docs/design.md, section 4).

This module is free of torch, so that a configuration is checked before torch is imported. Offsets are whole pixels per
dimension, positive for down and right. ``convexp.data`` draws the offsets and moves the pixels.
"""

from dataclasses import dataclass
from typing import Any, Literal

from convexp.geometry import Size

ShiftProtocol = Literal["zero_fill", "circular", "crop"]


@dataclass(frozen=True)
class Uniform:
    """Offsets drawn uniformly from all whole pixels between two offsets.

    Attributes:
        low: Smallest offset per dimension, included.
        high: Largest offset per dimension, included.
        fixed: False, since there is more than one offset to draw.
    """

    low: Size
    high: Size
    fixed = False


@dataclass(frozen=True)
class OneOf:
    """Offsets drawn uniformly from a list.

    Attributes:
        offsets: The offsets to draw from. A single one is fixed.
    """

    offsets: tuple[Size, ...]

    @property
    def fixed(self) -> bool:
        """Whether all offsets are equal, so that nothing has to be drawn."""
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
OffsetSetting = str | int | float | list[int] | list[list[int]]
"""Offsets as they are written in a configuration: a word, pixels, a share of the size, one offset or a list of offsets."""


def explicit_offsets(setting: OffsetSetting, dims: int) -> OneOf | None:
    """Read ``[down, right]`` or a list of such offsets; return None if ``setting`` is not a list.

    Raises:
        ValueError: If an offset does not have one number per dimension.
    """
    if not isinstance(setting, list):
        return None
    nested: Any = setting if all(isinstance(offset, list) for offset in setting) else [setting]
    if not nested or any(len(offset) != dims for offset in nested):
        numbers = "one whole number" if dims == 1 else f"{dims} whole numbers, one per dimension"
        raise ValueError(f"should have {numbers}, or be a list of such lists")
    return OneOf(tuple(tuple(offset) for offset in nested))


def position_offsets(setting: OffsetSetting, image_size: Size, canvas_size: Size) -> Offsets:
    """Read the position of an image's first pixel on the canvas: ``centre``, ``random``, ``[row, column]`` or a list of these.

    Raises:
        ValueError: If the image would not lie on the canvas, or if a random position is wanted and there is only one.
    """
    room = tuple(c - n for c, n in zip(canvas_size, image_size, strict=True))
    if setting == "centre":
        return OneOf((tuple(r // 2 for r in room),))
    if setting == "random":
        if not any(room):
            raise ValueError("has only one position to draw; data.canvas should be larger than the image")
        return Uniform((0,) * len(room), room)
    fixed = explicit_offsets(setting, len(room))
    if fixed is None:
        raise ValueError("should be centre, random, [row, column] or a list of such positions")
    if min(fixed.low) < 0 or any(high > r for high, r in zip(fixed.high, room, strict=True)):
        raise ValueError(f"should lie between {[0] * len(room)} and {list(room)}, so that the image is on the canvas")
    return fixed


def shift_offsets(setting: OffsetSetting, size: Size) -> Offsets:
    """Read the shifts of images of ``size``.

    A number gives the largest shift in every direction: an int in pixels, a float as a share of the size, rounded to whole
    pixels. A list gives ``[down, right]`` or several of these.

    Raises:
        ValueError: If ``setting`` is none of these, or if a shift is as large as the image.
    """
    offsets = explicit_offsets(setting, len(size))
    if offsets is None:
        if not isinstance(setting, int | float) or not setting >= 0 or (isinstance(setting, float) and setting >= 1):
            raise ValueError("should be whole pixels (0, 1, ...), a share of the size (below 1.0), [down, right], or a list")
        largest = tuple(setting if isinstance(setting, int) else round(setting * n) for n in size)
        offsets = OneOf((largest,)) if not any(largest) else Uniform(tuple(-r for r in largest), largest)
    if any(r >= n for r, n in zip(largest_shift(offsets), size, strict=True)):
        raise ValueError(f"should be smaller than the {'x'.join(map(str, size))} pixels that are shifted")
    return offsets


def largest_shift(offsets: Offsets) -> Size:
    """Return the largest shift per dimension in either direction, in pixels."""
    return tuple(max(-low, high, 0) for low, high in zip(offsets.low, offsets.high, strict=True))


@dataclass(frozen=True)
class Placement:
    """How the images of a data set are placed on a black canvas and shifted.

    Attributes:
        image_size: Size of the images as the source has them, in pixels per dimension.
        canvas_size: Size of the canvas.
        input_size: Size of what the network sees. It differs from the canvas with the protocol ``crop`` only.
        position: Position of an image's first pixel on the canvas, drawn once for each image.
        protocol: How content is shifted. ``zero_fill`` cuts off what leaves the canvas, ``circular`` lets it enter at the other
            side, ``crop`` moves a window of ``input_size`` over the canvas.
        train: Shifts of the training images, drawn anew in every epoch.
        val: Shifts of the validation images, drawn once.
        test: Shifts of the test images, drawn once.
    """

    image_size: Size
    canvas_size: Size
    input_size: Size
    position: Offsets
    protocol: ShiftProtocol
    train: Offsets
    val: Offsets
    test: Offsets


def window_size(canvas_size: Size, window: Size | None, max_shift: Size) -> Size:
    """Return the size of the window that the protocol ``crop`` moves over the canvas.

    Args:
        canvas_size: Size of the canvas, in pixels per dimension.
        window: Wanted size of the window per dimension, in pixels, or None for the largest that the shifts allow.
        max_shift: Largest shift per dimension, in pixels.

    Raises:
        ValueError: If a shifted window would leave the canvas.
    """
    largest = tuple(n - 2 * r for n, r in zip(canvas_size, max_shift, strict=True))
    wanted = largest if window is None else window
    if any(not 1 <= w <= most for w, most in zip(wanted, largest, strict=True)):
        sizes = "x".join(map(str, canvas_size))
        room = "x".join(str(max(0, n)) for n in largest)
        raise ValueError(f"shifts of {max(max_shift)} pixels leave {room} of the {sizes} pixels for the window")
    return wanted
