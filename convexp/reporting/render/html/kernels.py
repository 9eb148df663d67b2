"""Pictures of learned kernels, embedded from the run folders into the page."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convexp.reporting.groups import Group
from convexp.reporting.selection import evenly_spaced

FILE = "kernels_stage0.png"
MAX_PICTURES = 12
MAX_BYTES = 400_000
MAX_PIXELS = 4096  # of either side
LAYOUT = (
    "without weight sharing, a row for each output channel and a column for each location; with weight sharing, "
    "a block with a tile for each output channel"
)
SIGNATURE, END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


@dataclass(frozen=True)
class KernelPicture:
    """Picture of the kernels of the first stage, for the first seed of a group.

    Attributes:
        label: Label of the group.
        alt: Text for readers who cannot see the picture.
        data: The PNG in base64; None if the run folder has no picture that can be shown.
        width: Width in pixels.
        height: Height in pixels.
    """

    label: str
    alt: str
    data: str | None
    width: int
    height: int


def kernel_pictures(groups: Sequence[Group], root: Path) -> tuple[list[KernelPicture], int]:
    """Return a picture for each of at most 12 groups and the number of groups left out; no pictures if no run has any."""
    chosen = [groups[i] for i in evenly_spaced(len(groups), MAX_PICTURES)]
    pictures = [_picture(group, root) for group in chosen]
    return (pictures, len(groups) - len(chosen)) if any(picture.data for picture in pictures) else ([], 0)


def _picture(group: Group, root: Path) -> KernelPicture:
    run = group.runs[0]
    image = read_png(root / run.path / FILE)
    if image is None:
        return KernelPicture(group.label, "", None, 0, 0)
    data, width, height = image
    alt = f"Learned kernels of the first stage of {group.label}, seed {run.seed}: {LAYOUT}."
    return KernelPicture(group.label, alt, base64.b64encode(data).decode(), width, height)


def read_png(file: Path) -> tuple[bytes, int, int] | None:
    """Return the bytes, width and height of a PNG; None if it is missing, truncated, not a PNG, or too large for a page."""
    try:
        if not file.is_file() or file.stat().st_size > MAX_BYTES:
            return None
        data = file.read_bytes()
    except OSError:
        return None
    if not (data.startswith(SIGNATURE) and data[12:16] == b"IHDR" and data.endswith(END)):
        return None
    width, height = struct.unpack(">II", data[16:24])
    return (data, width, height) if 0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS else None
