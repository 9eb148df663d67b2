"""Pictures that probes left in the run folders, embedded into the page: learned kernels, and images that are mistaken."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convexp.reporting.groups import Group
from convexp.reporting.selection import evenly_spaced

KERNELS, MISTAKES = "kernels_stage0.png", "errors_mistakes.png"
MAX_PICTURES = 12
MAX_BYTES = 400_000
MAX_PIXELS = 4096  # of either side
LAYOUT = (
    "without weight sharing, a row for each output channel and a column for each location; with weight sharing, "
    "a block with a tile for each output channel"
)
SIGNATURE, END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


@dataclass(frozen=True)
class RunPicture:
    """A picture of a probe, for the first seed of a group.

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


def kernel_pictures(groups: Sequence[Group], root: Path) -> tuple[list[RunPicture], int]:
    """Return the kernels of the first stage of each of at most 12 groups, and the number of groups left out.

    There are no pictures if no run has any.
    """
    return _pictures(groups, root, KERNELS, "Learned kernels of the first stage of {}: " + LAYOUT + ".")


def mistake_pictures(groups: Sequence[Group], root: Path) -> tuple[list[RunPicture], int]:
    """Return the most confident mistakes of each of at most 12 groups, as ``kernel_pictures`` returns the kernels."""
    return _pictures(groups, root, MISTAKES, "Test images that {} classifies wrongly, the most confident mistakes first.")


def _pictures(groups: Sequence[Group], root: Path, file: str, alt: str) -> tuple[list[RunPicture], int]:
    chosen = [groups[i] for i in evenly_spaced(len(groups), MAX_PICTURES)]
    pictures = [_picture(group, root, file, alt) for group in chosen]
    return (pictures, len(groups) - len(chosen)) if any(picture.data for picture in pictures) else ([], 0)


def _picture(group: Group, root: Path, file: str, alt: str) -> RunPicture:
    run = group.runs[0]
    image = read_png(root / run.path / file)
    if image is None:
        return RunPicture(group.label, "", None, 0, 0)
    data, width, height = image
    words = alt.format(f"{group.label}, seed {run.seed}")
    return RunPicture(group.label, words, base64.b64encode(data).decode(), width, height)


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
