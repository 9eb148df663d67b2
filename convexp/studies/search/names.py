"""Names of the folders of a trial's runs: they follow from its settings, so that the next start finds them again."""

import hashlib

from convexp.config.command_line.format import format_value
from convexp.studies.grid import Axis, Point
from convexp.studies.names import folder_names
from convexp.studies.overrides import parse_value

MAX_LENGTH = 60  # of the readable part


def trial_folder(point: Point) -> str:
    """Return the name of a trial without the seed, such as ``kernel_size5-lr0.0123-1f4d0e7a``.

    Numbers are rounded to three digits; the hash of the settings tells apart what is then equal.

    Args:
        point: The settings that are searched, without the seed.
    """
    settings = sorted((axis.key, row) for axis, row in point)
    readable = folder_names([tuple((axis, tuple(map(_rounded, row))) for axis, row in point)])[0]
    return f"{readable[:MAX_LENGTH].strip('-')}-{hashlib.sha256(repr(settings).encode()).hexdigest()[:8]}"


def run_folder(point: Point, seed: int) -> str:
    """Return the name of the folder of a trial's run."""
    return f"{trial_folder(point)}-seed{seed}"


def with_seed(point: Point, seed: int) -> Point:
    """Return the point of a trial's run."""
    text = format_value(seed)
    return (*point, (Axis(("seed",), ((text,),)), (text,)))


def _rounded(text: str) -> str:
    value = parse_value(text)
    return f"{value:.3g}" if isinstance(value, float) else text
