"""The tables of the page: groups with their main metrics, groups with all metrics, and comparisons."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from convexp.records.plan import single_settings
from convexp.records.settings import display_value
from convexp.reporting import metrics as metric_names
from convexp.reporting.axes import axis_value, numeric_axes
from convexp.reporting.claims import CLAIM_CAPTION, TITLES, ClaimRow
from convexp.reporting.comparison import Comparison
from convexp.reporting.formatting import (
    MISSING,
    format_difference,
    format_effect,
    format_interval,
    format_mean_of_runs,
    format_number,
    format_p,
    short_setting,
)
from convexp.reporting.groups import Group
from convexp.reporting.metrics import is_percentage, metric_title
from convexp.reporting.render.html.table import Cell, Column, Table
from convexp.reporting.statistics import shifted

# As in the other tables, but without FLOPs, which have a column of their own here.
COLUMNS = {metric: title for title, metric in metric_names.COLUMNS.items() if metric != "cost/flops"}
COMPARISONS_CAPTION = (
    "Differences between paired runs of the same seed. g: the mean difference in standard deviations of the differences between"
    " seeds, corrected for few seeds. Seeds for a point: estimated from that deviation, which few seeds tell only roughly."
)
FROM_ONE = {"best_epoch": "best epoch (counted from 1)"}  # records count from 0
MAX_ROWS = 500
MAX_ROWS_OF_ALL_METRICS = 300


def groups_table(groups: Sequence[Group], colours: list[str]) -> Table:
    """Return a row for each group: its numbers on the axes, the main metrics, its size, and its duration."""
    axes = _sortable_axes(groups)
    present = {metric: title for metric, title in COLUMNS.items() if any(g.metric(metric) for g in groups)}
    columns = [
        Column("configuration", "the model and the settings that differ"),
        *(Column(short_setting(axis), axis) for axis in axes),
        *(
            Column(title, f"{metric_title(metric)} ({metric}){', per cent' if is_percentage(metric) else ''}")
            for metric, title in present.items()
        ),
        Column("n", "number of runs, one for each seed"),
        Column("parameters", "number of parameters of the network"),
        Column("FLOPs", "floating point operations of the forward pass of one image"),
        Column("seconds", "duration of a run, mean over seeds"),
    ]
    shown = groups[:MAX_ROWS]
    rows = [[_label(g), *(_on_axis(g, a) for a in axes), *(_metric(g, m) for m in present), *_sizes(g)] for g in shown]
    percent = "Accuracies and consistency in per cent. " if any(map(is_percentage, present)) else ""
    caption = f"{percent}Mean and 95 % interval over n seeds.{_left_out(shown, groups, 'summary.csv')}"
    return Table("results", caption, columns, rows, colours)


def metrics_table(groups: Sequence[Group], colours: list[str]) -> Table | None:
    """Return a row for each group with every metric of its runs; None if there are too many groups for a page."""
    if len(groups) > MAX_ROWS_OF_ALL_METRICS:
        return None
    metrics = list(dict.fromkeys(m for g in groups for run in g.runs for m in run.metrics))
    columns = [
        Column("configuration", "the model and the settings that differ"),
        *(Column(str(FROM_ONE.get(m, m)), f"{metric_title(m)}{', per cent' if is_percentage(m) else ''}") for m in metrics),
    ]
    rows = [[_label(g), *(_metric(g, m) for m in metrics)] for g in groups]
    caption = "Every metric, mean and 95 % interval over seeds; proportions in per cent."
    return Table("metrics", caption, columns, rows, colours)


def comparisons_table(comparisons: Sequence[Comparison], name: str = "comparisons-table") -> Table:
    """Return a row for each comparison, in a table with this id."""
    columns = [
        Column("configuration", "the configuration that is compared"),
        Column("against", "the baseline"),
        Column("metric", "the metric on which they are compared"),
        Column("n", "number of pairs of runs with the same seed and data"),
        Column("difference", "mean of the paired differences; in percentage points for accuracies and consistency"),
        Column("interval", "confidence interval of the difference; it excludes 0 exactly where a difference is shown"),
        Column("verdict", "a difference is shown if the adjusted p is below 0.05"),
        Column("adjusted p", "p after Holm's correction for all comparisons on this metric"),
        Column("g", "Hedges' g: the mean difference in standard deviations of the differences between seeds"),
        Column("higher in", "share of the pairs in which the configuration is higher, per cent; equal pairs count half"),
        Column("detectable", "the smallest difference that this many pairs with this variation can show"),
        Column("seeds for a point", "pairs that would show one percentage point with power 80 %, varying as observed"),
        Column("p", "p of this comparison alone, for the hypothesis of no difference"),
        Column("method", "method of the interval and p"),
    ]
    shown = comparisons[:MAX_ROWS]
    rows = [_comparison(c) for c in shown]
    if len({c.method for c in comparisons}) == 1:  # the text above the table names it
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Table(name, COMPARISONS_CAPTION + _left_out(shown, comparisons, "comparisons.csv"), columns, rows, [])


def _left_out(shown: Sequence[object], every: Sequence[object], file: str) -> str:
    """A sentence on the rows that a page has no room for."""
    return "" if len(shown) == len(every) else f" The first {len(shown):,} of {len(every):,} rows; {file} has all."


def _sortable_axes(groups: Sequence[Group]) -> list[str]:
    """The settings by whose numbers the rows can be sorted, if the labels name them among others; all else is in the label."""
    singles = [replace(group, point=single_settings(group.point)) for group in groups]
    several = len({axis for group in singles for axis in group.point}) > 1
    return [a for a in numeric_axes(singles) if several and any(f" {short_setting(a)}=" in g.label for g in groups)]


def _label(group: Group) -> Cell:
    return Cell(group.label, group.label)


def _on_axis(group: Group, axis: str) -> Cell:
    point = single_settings(group.point)
    value, number = point.get(axis), axis_value(replace(group, point=point), axis)
    if number is None:
        return Cell(MISSING, None) if value is None else Cell(display_value(value), display_value(value))
    return Cell(f"all ({format_number(number)})" if value is None else f"{value:,}", number)


def _sizes(group: Group) -> list[Cell]:
    seconds = [s for run in group.runs if (s := run.seconds.total) is not None]
    duration = Cell(f"{fmean(seconds):,.1f}", fmean(seconds)) if seconds else Cell(MISSING, None)
    counts = [Cell(f"{count:,}", count) for count in (group.parameters, group.flops)]
    return [Cell(str(group.n), group.n), *counts, duration]


def _metric(group: Group, metric: str) -> Cell:
    value = group.metric(metric)
    value = shifted(value, 1) if value is not None and metric in FROM_ONE else value
    return Cell(format_mean_of_runs(value, metric, group.n), None if value is None else value.mean)


def _comparison(c: Comparison) -> list[Cell]:
    return [
        Cell(c.label, c.label),
        Cell(c.baseline, c.baseline),
        Cell(metric_title(c.metric), metric_title(c.metric)),
        Cell(str(c.n), c.n),
        Cell(format_difference(c.difference, c.metric), c.difference),
        Cell(format_interval(c.low, c.high, c.metric), c.low),
        Cell(c.verdict, c.verdict),
        Cell(format_p(c.p_adjusted), c.p_adjusted),
        Cell(format_effect(c.effect), c.effect),
        Cell(MISSING if c.superiority is None else f"{100 * c.superiority:.0f}", c.superiority),
        Cell(format_difference(c.detectable, c.metric).lstrip("+"), c.detectable),
        Cell(MISSING if c.seeds_for_a_point is None else f"{c.seeds_for_a_point:,}", c.seeds_for_a_point),
        Cell(format_p(c.p), c.p),
        Cell(c.method, c.method),
    ]


def claims_table(claims: Sequence[ClaimRow]) -> Table:
    """Return a row for each claim of a paper."""
    meanings = ("where it is claimed", "what it says", "its number", "mean and 95 % interval over n seeds", "what follows")
    columns = [Column(title, meaning) for title, meaning in zip(TITLES, meanings, strict=True)]
    rows = [[Cell(cell, cell) for cell in claim.cells] for claim in claims]
    return Table("claims-table", f"{CLAIM_CAPTION}.", columns, rows, [])
