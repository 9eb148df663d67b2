"""Pictures of learned kernels, taken from the run folders into the page."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convexp.reporting.charts.series import spaced
from convexp.reporting.groups import Group

FILE = "kernels_stage0.png"
MOST = 12
LARGEST = 400_000  # bytes
WIDEST = 4096  # pixels
KIND = (
    "where each location has weights of its own, a row per output channel and a column per location; where all locations share "
    "theirs, a block with a tile per output channel"
)
SIGNATURE, END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


@dataclass(frozen=True)
class Picture:
    """Kernels of the first seed of a group; ``data`` is None where there is no picture that can be shown."""

    label: str
    alt: str
    data: str | None
    width: int
    height: int


def kernels(groups: Sequence[Group], root: Path) -> tuple[list[Picture], int]:
    """A picture per group (of at most 12), and how many groups are left out; no pictures if no run has any."""
    drawn = [groups[i] for i in spaced(len(groups), MOST)]
    found = [_picture(group, root) for group in drawn]
    return (found, len(groups) - len(drawn)) if any(p.data for p in found) else ([], 0)


def _picture(group: Group, root: Path) -> Picture:
    run = group.runs[0]
    image = read_png(root / run["path"] / FILE) if "path" in run else None
    if image is None:
        return Picture(group.label, "", None, 0, 0)
    data, width, height = image
    alt = f"Learned kernels of the first stage of {group.label}, seed {run.get('seed')}: {KIND}."
    return Picture(group.label, alt, base64.b64encode(data).decode(), width, height)


def read_png(file: Path) -> tuple[bytes, int, int] | None:
    """The bytes, width and height of a PNG; None if it is missing, cut off, no PNG, or too large for a page."""
    try:
        if not file.is_file() or file.stat().st_size > LARGEST:
            return None
        data = file.read_bytes()
    except OSError:
        return None
    if not (data.startswith(SIGNATURE) and data[12:16] == b"IHDR" and data.endswith(END)):
        return None
    width, height = struct.unpack(">II", data[16:24])
    return (data, width, height) if 0 < width <= WIDEST and 0 < height <= WIDEST else None
