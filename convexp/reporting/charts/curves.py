"""Curves of runs and their means over seeds. Numbers only, nothing is drawn here."""

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from convexp.records import Result
from convexp.reporting.groups import Group
from convexp.reporting.statistics import Mean, mean, share

Curve = dict[float, float]


def mean_curve(
    curves: Sequence[Mapping[float, float]], average: Callable[[Sequence[float]], Mean] = mean
) -> list[tuple[float, Mean]]:
    """Means at every x that all curves have, by ascending x: the seeds averaged are the same all along."""
    if not curves:
        return []
    shared = set(curves[0]).intersection(*curves[1:])
    return [(x, average([curve[x] for curve in curves])) for x in sorted(shared)]


def shift_map(run: Result, name: str) -> Any:
    """A map of the run's shift map probe; None if it has none."""
    return ((run.get("probes") or {}).get("shift_map", {}).get("maps") or {}).get(name)


def radius_curve(group: Group) -> list[tuple[float, Mean]]:
    """Accuracy over the distance of the shift, r = 0, 1, ... pixels; empty if no run has a shift map."""
    found = [shift_map(run, "radius") for run in group.runs]
    return mean_curve([{float(r): v for r, v in enumerate(curve) if v is not None} for curve in found if curve], share)


def mean_map(group: Group) -> list[list[float]] | None:
    """Accuracy at every shift, mean over seeds; None if no run has a map of one or two dimensions."""
    maps = [_rows(found) for run in group.runs if (found := shift_map(run, "accuracy"))]
    maps = [m for m in maps if m and _shape(m) == _shape(maps[0] or [])]
    if not maps:
        return None
    return [[sum(m[i][j] for m in maps) / len(maps) for j in range(len(maps[0][0]))] for i in range(len(maps[0]))]


def _rows(found: list[Any]) -> list[list[float]] | None:
    rows = found if isinstance(found[0], list) else [found]
    numbers = all(isinstance(row, list) and row and all(isinstance(v, int | float) for v in row) for row in rows)
    return rows if numbers and len({len(row) for row in rows}) == 1 else None


def _shape(rows: list[list[float]]) -> tuple[int, int]:
    return len(rows), len(rows[0]) if rows else 0


def training_curve(folder: Path, metric: str) -> Curve:
    """``metric`` by epoch, the first is 1, from the run's metrics.csv, where it is 0; empty if that is missing, damaged or does
    not have it."""
    file = folder / "metrics.csv"
    if not file.is_file():  # a pipe would never end
        return {}
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            return _by_epoch(csv.DictReader(stream), metric)
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}


def _by_epoch(rows: Iterable[dict[str, str]], metric: str) -> Curve:
    curve: Curve = {}
    for row in rows:
        try:
            epoch, value = float(row["epoch"]), float(row[metric])
        except (KeyError, TypeError, ValueError):  # a cell that is empty or cut off
            continue
        if math.isfinite(epoch) and math.isfinite(value):
            curve[epoch + 1] = value
    return curve
