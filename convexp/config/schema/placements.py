"""From the settings of the data to where images lie on their canvas and how far they move."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from convexp.config.schema.skeletons import per_dimension
from convexp.geometry import Size
from convexp.geometry.placement import (
    Offsets,
    OffsetSetting,
    Placement,
    largest_shift,
    position_offsets,
    shift_offsets,
    window_size,
)

if TYPE_CHECKING:
    from convexp.config.schema.data import Data, Shift


def build_placement(data: "Data") -> Placement:
    """Where the images of ``data`` lie and how far they move, in pixels.

    Raises:
        ValueError: naming the setting that does not go with the size of the images.
    """
    image_size = tuple(data.image_shape[1:])
    canvas_size = _canvas_size(data, image_size)
    offsets = {
        part: _read(f"shift.{part}", getattr(data.shift, part), lambda choice: shift_offsets(choice, canvas_size))
        for part in ("train", "val", "test")
    }
    return Placement(
        image_size=image_size,
        canvas_size=canvas_size,
        input_size=_input_size(data.shift, canvas_size, list(offsets.values())),
        position=_read("position", data.position, lambda choice: position_offsets(choice, image_size, canvas_size)),
        protocol=data.shift.protocol,
        **offsets,
    )


def _canvas_size(data: "Data", image_size: Size) -> Size:
    if data.canvas is None:
        return image_size
    canvas = per_dimension("data.canvas", data.canvas, len(image_size))
    if any(c < n for c, n in zip(canvas, image_size, strict=True)):
        least = list(image_size) if isinstance(data.canvas, list) else max(image_size)
        raise ValueError(
            f"data.canvas={data.canvas}: is smaller than the image; should be {least} or more, or null for no canvas"
        )
    return canvas


def _input_size(shift: "Shift", canvas_size: Size, offsets: list[Offsets]) -> Size:
    """The size of what the network sees: the canvas, or under the protocol ``crop`` the window that moves over it."""
    if shift.protocol != "crop":
        if shift.window is not None:
            raise ValueError(f"data.shift.window={shift.window}: goes with data.shift.protocol=crop, or should be null")
        return canvas_size
    reach: Size = tuple(map(max, zip(*map(largest_shift, offsets), strict=True)))
    window = None if shift.window is None else per_dimension("data.shift.window", shift.window, len(canvas_size))
    try:
        return window_size(canvas_size, window, reach)
    except ValueError as error:
        setting = f"data.shift.window={shift.window}" if shift.window else "data.shift.protocol=crop"
        raise ValueError(f"{setting}: {error}") from None


def _read(setting: str, choice: OffsetSetting, read: Callable[[OffsetSetting], Offsets]) -> Offsets:
    """``read(choice)``, with the setting and its value before the message of an error."""
    try:
        return read(choice)
    except ValueError as error:
        raise ValueError(f"data.{setting}={choice}: {error}") from None
