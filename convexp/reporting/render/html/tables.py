"""The tables of the page: what stands in each cell, and what it is sorted by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from convexp.records.plan import spread
from convexp.records.settings import shown
from convexp.reporting import formatting
from convexp.reporting.charts.series import value_on
from convexp.reporting.comparisons import Comparison
from convexp.reporting.formatting import finding, is_share, number, setting, signed, title
from convexp.reporting.formatting import spread as with_interval
from convexp.reporting.groups import Group
from convexp.reporting.render import table
from convexp.reporting.statistics import Mean, shifted

# As the other tables have them; FLOPs have a column of their own here.
COLUMNS = {metric: name for name, metric in formatting.COLUMNS.items() if metric != "cost/flops"}
FROM_ONE = {"best_epoch": "best epoch (the first is 1)"}  # results count from 0
MOST_WIDE = 300  # configurations in the table of all metrics


@dataclass(frozen=True)
class Cell:
    """A text and the key it is sorted by (None: always last)."""

    text: str
    key: float | str | None

    @property
    def numeric(self) -> bool:
        """Whether it is aligned as a number."""
        return not isinstance(self.key, str)


@dataclass(frozen=True)
class Column:
    """A heading, and what it means in full."""

    title: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """Rows of cells, the first of each names the row; ``marks`` are the rows' colours in the charts, if any."""

    name: str
    caption: str
    columns: list[Column]
    rows: list[list[Cell]]
    marks: list[str]


def groups_table(groups: Sequence[Group], marks: list[str]) -> Table:
    """A row per configuration: its values on the axes, its size, its time, and the main metrics."""
    axes = list(dict.fromkeys(axis for g in groups for axis in spread(g.point)))
    axes = axes if len(axes) > 1 else []  # a single axis is what the label says
    present = {metric: name for metric, name in COLUMNS.items() if any(g.metric(metric) for g in groups)}
    columns = [
        Column("configuration", "the model and the settings that differ"),
        *(Column(setting(axis), axis) for axis in axes),
        Column("parameters", "parameters of the network"),
        Column("FLOPs", "floating point operations for one image, forward"),
        Column("seconds", "of a whole run, mean over seeds"),
        Column("n", "runs, one per seed"),
        *(
            Column(name, f"{title(metric)} ({metric}){', per cent' if is_share(metric) else ''}")
            for metric, name in present.items()
        ),
    ]
    rows = [[_label(g), *(_on_axis(g, a) for a in axes), *_sizes(g), *(_metric(g, m) for m in present)] for g in groups]
    shares = "Accuracies and consistency in per cent. " if any(map(is_share, present)) else ""
    caption = f"Finished runs by configuration. {shares}Mean and 95 % interval over n seeds."
    return Table("results", caption, columns, rows, marks)


def metrics_table(groups: Sequence[Group], marks: list[str]) -> Table | None:
    """A row per configuration with every metric of the runs; None for more configurations than a page can hold."""
    if len(groups) > MOST_WIDE:
        return None
    metrics = list(
        dict.fromkeys(m for g in groups for run in g.runs for m, value in run["metrics"].items() if value is not None)
    )
    columns = [
        Column("configuration", "the model and the settings that differ"),
        *(Column(str(FROM_ONE.get(m, m)), f"{title(m)}{', per cent' if is_share(m) else ''}") for m in metrics),
    ]
    rows = [[_label(g), *(_metric(g, m) for m in metrics)] for g in groups]
    caption = "Every metric, mean and 95 % interval over seeds; shares in per cent."
    return Table("metrics", caption, columns, rows, marks)


def comparisons_table(comparisons: Sequence[Comparison]) -> Table:
    """A row per comparison."""
    columns = [
        Column("configuration", "what is compared"),
        Column("against", "the baseline"),
        Column("metric", "what is measured"),
        Column("n", "pairs of runs with the same seed and data"),
        Column("difference", "mean of the paired differences; of shares in percentage points"),
        Column("interval", "of the difference, as the verdict rests on it: it leaves out 0 just where one is shown"),
        Column("shows from", "the smallest difference that so many pairs that vary as these do can show"),
        Column("verdict", "a difference is shown where the adjusted p is below 0.05"),
        Column("adjusted p", "Holm's correction over all comparisons on this metric"),
        Column("p", "of no difference, of this comparison alone"),
        Column("method", "of the interval and p"),
    ]
    rows = [_comparison(c) for c in comparisons]
    if len({c.method for c in comparisons}) == 1:  # the text above the table names it
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Table("comparisons-table", "Paired differences, run by run of the same seed.", columns, rows, [])


def sentences(comparisons: Sequence[Comparison], most: int) -> list[tuple[str, str, str]]:
    """``(metric, verdict, sentence)`` of the main comparisons: those that show a difference first."""
    main = sorted(
        comparisons,
        key=lambda c: (c.verdict == "no difference shown", list(COLUMNS).index(c.metric) if c.metric in COLUMNS else 99),
    )
    return [(title(c.metric), c.verdict, finding(c)) for c in main[:most]]


def _label(group: Group) -> Cell:
    return Cell(group.label, group.label)


def _on_axis(group: Group, axis: str) -> Cell:
    point = spread(group.point)
    value, known = point.get(axis), value_on(replace(group, point=point), axis)
    if known is None:
        return Cell("—" if value is None else shown(value), None if value is None else shown(value))
    return Cell(f"all ({number(known)})" if value is None else f"{value:,}", known)


def _sizes(group: Group) -> list[Cell]:
    seconds = [s for run in group.runs if isinstance(s := (run.get("seconds") or {}).get("total"), int | float)]
    time = Cell(f"{fmean(seconds):,.1f}", fmean(seconds)) if seconds else Cell("—", None)
    counts = [Cell(f"{count:,}", count) for count in (group.parameters, group.flops)]
    return [*counts, time, Cell(str(group.n), group.n)]


def _metric(group: Group, metric: str) -> Cell:
    value: Mean | None = group.metric(metric)
    value = shifted(value, 1) if value is not None and metric in FROM_ONE else value
    fewer = f" (n = {value.n})" if value is not None and value.n < group.n else ""
    return Cell(with_interval(value, metric) + fewer, None if value is None else value.mean)


def _comparison(c: Comparison) -> list[Cell]:
    interval = "—" if c.low is None or c.high is None else f"{signed(c.low, c.metric)} to {signed(c.high, c.metric)}"
    return [
        Cell(c.label, c.label),
        Cell(c.baseline, c.baseline),
        Cell(title(c.metric), title(c.metric)),
        Cell(str(c.n), c.n),
        Cell(signed(c.difference, c.metric), c.difference),
        Cell(interval, c.low),
        Cell(signed(c.least, c.metric).lstrip("+"), c.least),
        Cell(c.verdict, c.verdict),
        Cell(table.p_text(c.p_adjusted), c.p_adjusted),
        Cell(table.p_text(c.p), c.p),
        Cell(c.method, c.method),
    ]
