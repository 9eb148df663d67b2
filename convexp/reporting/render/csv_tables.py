"""Groups, runs, trials and comparisons as CSV in full precision (summary.csv, runs.csv, trials.csv, comparisons.csv)."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from convexp.records import RunRecord
from convexp.records.frame import columns
from convexp.records.search import SearchRecord, SearchTrial
from convexp.records.settings import display_value, printable
from convexp.reporting.comparison import Comparison
from convexp.reporting.groups import Group
from convexp.reporting.metrics import COLUMNS

STATISTICS = ("mean", "sd", "ci95 low", "ci95 high")  # columns of each metric
COMPARISON_COLUMNS = {"detectable": "least"}  # attributes of a comparison whose column has another name
FORMULA_STARTS = ("=", "+", "-", "@")


def to_csv(header: Sequence[str], body: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV. None becomes an empty cell.

    Text that a spreadsheet would take for a formula gets a quotation mark in front.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    for row in (header, *body):
        writer.writerow(map(_cell, row))
    return stream.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return ("'" if text.lstrip().startswith(FORMULA_STARTS) else "") + text  # spreadsheets skip leading blanks


def groups_csv(groups: Sequence[Group], parts: Sequence[str] = ()) -> str:
    """Return a row for each group: its values on the axes, and mean, standard deviation and 95 % interval of each metric.

    Args:
        groups: The groups.
        parts: The part of the report that each belongs to; empty if the report has no parts.
    """
    found = dict.fromkeys(name for group in groups for run in group.runs for name in run.metrics)
    metrics = [*(m for m in COLUMNS.values() if m in found), *(m for m in found if m not in COLUMNS.values())]
    axes = list(dict.fromkeys(axis for group in groups for axis in group.point))
    statistics = [f"{metric} {name}" for metric in metrics for name in STATISTICS]
    header = ["wiring", *axes, "parameters", "flops", "n", *statistics]
    rows = [_group_row(group, axes, metrics) for group in groups]
    if parts:
        return to_csv(["part", *header], [[part, *row] for part, row in zip(parts, rows, strict=True)])
    return to_csv(header, rows)


def _group_row(group: Group, axes: list[str], metrics: list[str]) -> list[Any]:
    values = [display_value(group.point[axis]) if axis in group.point else None for axis in axes]
    means = [group.metric(metric) for metric in metrics]
    numbers = [x for m in means for x in ((m.mean, m.deviation, m.low, m.high) if m else [None] * len(STATISTICS))]
    return [group.label, *values, group.parameters, group.flops, group.n, *numbers]


def runs_csv(runs: Sequence[RunRecord]) -> str:
    """Return a row for each run, finished or not, with the columns of ``convexp.runs.load``."""
    table = columns(runs) if runs else {}
    return to_csv(list(table), zip(*table.values(), strict=True))


def trials_csv(search: SearchRecord) -> str:
    """Return a row for each trial of a search: its settings, its value, and that of each seed."""
    header = ["trial", "state", *search.space, search.metric, *(f"seed {seed}" for seed in search.seeds), "reason"]
    return to_csv(header, [_trial_row(search, trial) for trial in search.trials])


def _trial_row(search: SearchRecord, trial: SearchTrial) -> list[Any]:
    settings = [display_value(trial.params[key]) if key in trial.params else None for key in search.space]
    values = [trial.values.get(str(seed)) for seed in search.seeds]
    return [trial.number, trial.state, *settings, trial.value, *values, trial.reason]


def comparisons_csv(comparisons: Sequence[Comparison]) -> str:
    """Return a row for each comparison, with the baseline or along an axis."""
    names = [field.name for field in fields(Comparison) if field.name != "whole"]  # start and stop say as much
    header = [COMPARISON_COLUMNS.get(name, name) for name in names]
    return to_csv(header, [[getattr(c, name) for name in names] for c in comparisons])
