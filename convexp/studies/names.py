"""Names of run folders: what differs, and nothing else, so that they stay the same from start to start."""

import hashlib
import re
from collections import Counter

from convexp.studies.grid import Point

LONGEST = 120  # bytes; file systems take 255, and there are files with longer names


def folder_names(points: list[Point]) -> list[str]:
    """A name for each point, such as ``conv-kernel_size5-seed0``; different points have different names."""
    names = [_name(point) for point in points]
    twice = {name for name, count in Counter(names).items() if count > 1}
    return [
        f"{_shortened(name)}-{_digest(point)}" if name in twice or name != _shortened(name) else name
        for name, point in zip(names, points, strict=True)
    ]


def _name(point: Point) -> str:
    pairs = [pair for axis, row in point for pair in zip(axis.settings, row, strict=True)]
    return "-".join(_part(*pair) for pair in sorted(pairs, key=lambda pair: pair[0] == "seed"))  # the seed comes last


def _part(setting: str, value: str) -> str:
    """``conv`` for a choice of a group (``model=conv``), else the last word of the setting and the value."""
    said = re.sub(r"[^\w.+-]+", "_", value).strip("_")
    word = setting.rpartition(".")[2].lstrip("+")
    if "." not in setting and word != "seed":
        return said
    return f"{word}{said}" if re.match(r"[\d.+-]", said) else f"{word}_{said}"


def _shortened(name: str) -> str:
    return name.encode()[:LONGEST].decode(errors="ignore")


def _digest(point: Point) -> str:
    return hashlib.sha256(repr([(axis.key, row) for axis, row in point]).encode()).hexdigest()[:8]
