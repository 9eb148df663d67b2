"""Names of run folders: the values that differ, so that a run has the same folder whenever its sweep is started."""

import hashlib
import re
from collections import Counter

from convexp.studies.grid import Point

MAX_BYTES = 120  # file systems allow 255, and files are named after their folder with more added


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
    """The option alone for a group (``conv`` for ``model=conv``), else the last part of the setting's name and the value."""
    text = re.sub(r"[^\w.+-]+", "_", value).strip("_")
    word = setting.rpartition(".")[2].lstrip("+")
    if "." not in setting and word != "seed":
        return text
    return f"{word}{text}" if re.match(r"[\d.+-]", text) else f"{word}_{text}"


def _shortened(name: str) -> str:
    return name.encode()[:MAX_BYTES].decode(errors="ignore")


def _digest(point: Point) -> str:
    return hashlib.sha256(repr([(axis.key, row) for axis, row in point]).encode()).hexdigest()[:8]
