"""Curves and maps of runs, and their means over seeds, as numbers."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from convexp.records import RunRecord
from convexp.records.numbers import is_moderate
from convexp.reporting.groups import Group
from convexp.reporting.statistics import Mean, mean, mean_proportion

Curve = dict[float, float]


def mean_curve(
    curves: Sequence[Mapping[float, float]], average: Callable[[Sequence[float]], Mean] = mean
) -> list[tuple[float, Mean]]:
    """Return the mean at every x that all curves have, by ascending x, so that every mean is over the same seeds.

    Args:
        curves: Values by x, one curve per seed.
        average: The function that averages the values at one x.
    """
    if not curves:
        return []
    shared = set(curves[0]).intersection(*curves[1:])
    return [(x, average([curve[x] for curve in curves])) for x in sorted(shared)]


def shift_map(run: RunRecord, name: str) -> Any:
    """Return a map of the run's shift map probe, as nested lists; None if the run does not have it."""
    found = run.probes.get("shift_map")
    return found.maps.get(name) if found else None


def radius_curve(group: Group) -> list[tuple[float, Mean]]:
    """Return mean accuracy by distance of the shift, 0, 1, ... pixels; an empty list if no run has a shift map."""
    found = [shift_map(run, "radius") for run in group.runs]
    curves = [{float(r): v for r, v in enumerate(curve) if v is not None} for curve in found if curve]
    return mean_curve(curves, mean_proportion)


def shift_reach(groups: Iterable[Group]) -> int | None:
    """Return the distance of the farthest shift in pixels; None without a shift map, or where runs have different ones."""
    curves = [shift_map(run, "radius") for group in groups for run in group.runs]
    found = {len(curve) - 1 for curve in curves if isinstance(curve, list)}
    return found.pop() if len(found) == 1 else None


def mean_map(group: Group) -> list[list[float]] | None:
    """Return the accuracy at every shift as rows, mean over seeds; None if no run has a map of one or two dimensions."""
    found = [_as_rows(accuracy) for run in group.runs if (accuracy := shift_map(run, "accuracy"))]
    whole = [rows for rows in found if rows]
    maps = [rows for rows in whole if _shape(rows) == _shape(whole[0])]
    if not maps:
        return None
    return [[sum(m[i][j] for m in maps) / len(maps) for j in range(len(maps[0][0]))] for i in range(len(maps[0]))]


def _as_rows(found: list[Any]) -> list[list[float]] | None:
    """A map of one dimension becomes a single row; None for a map that is not rectangular or has more dimensions."""
    rows = found if isinstance(found[0], list) else [found]
    numbers = all(isinstance(row, list) and row and all(isinstance(v, int | float) for v in row) for row in rows)
    return rows if numbers and len({len(row) for row in rows}) == 1 else None


def _shape(rows: list[list[float]]) -> tuple[int, int]:
    return len(rows), len(rows[0]) if rows else 0


def training_curves(folder: Path, metrics: Sequence[str]) -> dict[str, Curve]:
    """Return metrics by epoch from ``metrics.csv`` in the folder of a run; epochs are counted from 1 here and from 0 there.

    A curve is empty if the file is missing or damaged, or does not contain the metric.
    """
    nothing: dict[str, Curve] = {metric: {} for metric in metrics}
    file = folder / "metrics.csv"
    if not file.is_file():  # reading a pipe would never end
        return nothing
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            return _by_epoch(csv.DictReader(stream), metrics)
    except (OSError, UnicodeDecodeError, csv.Error):
        return nothing


def _by_epoch(rows: Iterable[dict[str, str]], metrics: Sequence[str]) -> dict[str, Curve]:
    curves: dict[str, Curve] = {metric: {} for metric in metrics}
    for row in rows:
        for metric, curve in curves.items():
            try:
                epoch, value = float(row["epoch"]), float(row[metric])
            except (KeyError, TypeError, ValueError):  # an empty or truncated cell
                continue
            if is_moderate(epoch) and is_moderate(value):
                curve[epoch + 1] = value
    return curves
