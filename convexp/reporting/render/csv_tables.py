"""The groups, the runs and the comparisons as CSV, in full precision."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from convexp.records import Result
from convexp.records.frame import rows
from convexp.records.settings import printable, shown
from convexp.reporting.comparisons import Comparison
from convexp.reporting.formatting import COLUMNS
from convexp.reporting.groups import Group

PARTS = ("mean", "sd", "ci95 low", "ci95 high")  # of a metric
FORMULA = ("=", "+", "-", "@")


def sheet(header: Sequence[str], body: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV; nothing for None, and a quote before a text that a spreadsheet would take for a formula."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    for row in (header, *body):
        writer.writerow(map(_cell, row))
    return stream.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return ("'" if text.lstrip().startswith(FORMULA) else "") + text  # spreadsheets skip what is blank before it


def of_groups(groups: Sequence[Group]) -> str:
    """A row per group: its values on the axes; mean, standard deviation and 95 % interval of every metric, probes' too."""
    metrics = dict.fromkeys(name for group in groups for run in group.runs for name in run["metrics"])
    order = [*(m for m in COLUMNS.values() if m in metrics), *(m for m in metrics if m not in COLUMNS.values())]
    axes = list(dict.fromkeys(axis for group in groups for axis in group.point))
    header = ["wiring", *axes, "parameters", "flops", "n", *(f"{m} {part}" for m in order for part in PARTS)]
    return sheet(header, [_row(group, axes, order) for group in groups])


def _row(group: Group, axes: list[str], metrics: list[str]) -> list[Any]:
    values = [shown(group.point[axis]) if axis in group.point else None for axis in axes]
    means = [group.metric(metric) for metric in metrics]
    numbers = [x for m in means for x in ((m.mean, m.deviation, m.low, m.high) if m else [None] * len(PARTS))]
    return [group.label, *values, group.parameters, group.flops, group.n, *numbers]


def of_runs(runs: Sequence[Result]) -> str:
    """A row per run, whatever its state (``convexp.runs.load``)."""
    table = rows(runs)
    return sheet(list(table[0]) if table else [], [list(row.values()) for row in table])


def of_comparisons(comparisons: Sequence[Comparison]) -> str:
    """A row per comparison."""
    names = [field.name for field in fields(Comparison)]
    return sheet(names, [[getattr(c, name) for name in names] for c in comparisons])
