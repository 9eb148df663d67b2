"""Pictures that probes left in the run folders, embedded into the page: learned kernels, and images that are mistaken."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convexp.reporting.groups import Group
from convexp.reporting.run_pictures import KERNELS, MISTAKES, read_png
from convexp.reporting.selection import evenly_spaced

MAX_PICTURES = 12
LAYOUT = (
    "without weight sharing, a row for each output channel and a column for each location; with weight sharing, "
    "a block with a tile for each output channel"
)


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
