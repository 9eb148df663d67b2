"""The training curves of two runs: what they ended with, and from which epoch on they are not the same."""

import csv
import math
from pathlib import Path
from typing import Any

from msgspec import Struct

from convexp.records.metrics_file import FILE, read_metrics
from convexp.records.settings import printable

CURVES = ("train/", "val/")  # begin the names of metrics that a training logs by epoch

Curves = dict[str, list[float]]  # by metric, the values in the order of the epochs


class CurveDifference(Struct, frozen=True):
    """A metric in the course of two trainings.

    Attributes:
        metric: Its name.
        a: Its last value in the first run; None if that does not have it.
        b: Likewise of the second run.
        same: How many values, from the first on, are equal to the bit.
        values: How many values each has.
    """

    metric: str
    a: float | None
    b: float | None
    same: int
    values: tuple[int, int]

    @property
    def is_equal(self) -> bool:
        """Whether the two are equal to the bit."""
        return self.values == (self.same, self.same)

    @property
    def is_in_both(self) -> bool:
        """Whether both runs have values of it."""
        return all(self.values)


def read_curves(folder: Path) -> Curves:
    """Read the curves of a run; nothing if ``metrics.csv`` is missing or damaged."""
    try:
        rows = read_metrics(folder / FILE)
    except (OSError, ValueError, csv.Error):
        return {}
    found: Curves = {}
    for row in rows:
        for name, value in row.items():
            if name.startswith(CURVES) and (number := _number(value)) is not None:
                found.setdefault(printable(name), []).append(number)
    return found


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def compare_curves(a: Curves, b: Curves) -> list[CurveDifference]:
    """Compare the curves of two runs."""
    return [_compared(name, a.get(name, []), b.get(name, [])) for name in {**a, **b}]


def _compared(name: str, a: list[float], b: list[float]) -> CurveDifference:
    same = next((i for i, pair in enumerate(zip(a, b, strict=False)) if not equal(*pair)), min(len(a), len(b)))
    return CurveDifference(name, a[-1] if a else None, b[-1] if b else None, same, (len(a), len(b)))


def equal(a: float, b: float) -> bool:
    """Whether two numbers are equal to the bit, as far as a text of them tells; two that are none are equal."""
    return a == b or (math.isnan(a) and math.isnan(b))
