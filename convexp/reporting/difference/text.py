"""The difference between two runs on a terminal, down to 80 columns."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from convexp.reporting.difference.difference import Difference, Facts, MetricDifference, ValueDifference
from convexp.reporting.difference.ends import CurveDifference
from convexp.reporting.formatting import MISSING, format_number
from convexp.reporting.metrics import is_percentage
from convexp.terminal.words import plural

MOST = 40  # lines of a table
FIRST = ("test/", "best/", "val/", "probe/shift_map/mean", "probe/consistency/all")  # metrics, in the order of interest


def render(found: Difference) -> RenderableType:
    """Return the difference for a terminal."""
    parts: list[RenderableType] = [_head("A", found.a), _head("B", found.b), Text(found.summary, style="bold")]
    parts += _table("settings", found.settings)
    for title, values in found.environment.items():
        parts += _table(title, values)
    parts += _table("network", found.network)
    parts += _metrics(found)
    parts += _curves(found.curves)
    parts += _table("seconds", found.seconds)
    return Group(*parts)


def _head(name: str, run: Facts) -> Text:
    text = Text(f"{name}  ", style="bold").append(f"{run.folder}: {run.state}", style="not bold")
    if run.taken_over:
        text.append(f", taken over from {run.taken_over}", style="not bold")
    return text.append(f", {run.error}" if run.error else "", style="not bold")


def _new_table(title: str, *more: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(title, overflow="fold", max_width=40)
    for name in ("A", "B", *more):
        table.add_column(name, overflow="fold", justify="right" if more else "left")
    return table


def _table(title: str, values: Sequence[ValueDifference]) -> Iterator[RenderableType]:
    if values:
        table = _new_table(title)
        for each in values[:MOST]:
            table.add_row(*map(Text, (each.name, each.a, each.b)), style=None if each.matters else "dim")
        yield table
        yield from _rest(len(values))


def _rest(number: int) -> Iterator[Text]:
    if number > MOST:
        yield Text(f"... and {number - MOST:,} more; --json has all")


def _metrics(found: Difference) -> Iterator[RenderableType]:
    results = sorted((metric for metric in found.metrics if not metric.timed), key=_place)
    timed = [metric for metric in found.metrics if metric.timed]
    if results or timed:
        table = _new_table("metrics", "B - A")
        for metric in results[:MOST]:
            table.add_row(*map(Text, _row(metric)))
        for metric in timed:
            table.add_row(*map(Text, _row(metric)), style="dim")
        yield table
        yield from _rest(len(results))
    if found.equal_metrics:
        yield Text(f"{plural(found.equal_metrics, 'metric')} {'is' if found.equal_metrics == 1 else 'are'} equal to the bit")


def _place(metric: MetricDifference) -> int:
    return next((place for place, name in enumerate(FIRST) if metric.metric.startswith(name)), len(FIRST))


def _row(metric: MetricDifference) -> tuple[str, str, str, str]:
    difference = MISSING if metric.difference is None else _signed(metric)
    return metric.metric, _number(metric.a, metric.metric), _number(metric.b, metric.metric), difference


def _number(value: float | None, metric: str) -> str:
    if value is None:
        return MISSING
    return f"{100 * value:.2f} %" if is_percentage(metric) else format_number(value)


def _signed(metric: MetricDifference) -> str:
    difference = metric.difference or 0.0
    sign = "+" if difference > 0 else "−" if difference < 0 else ""
    size = abs(difference)
    return f"{sign}{100 * size:.2f} points" if is_percentage(metric.metric) else f"{sign}{size:.4g}"


def _curves(curves: Sequence[CurveDifference]) -> Iterator[RenderableType]:
    if not curves:
        return
    if all(curve.is_equal for curve in curves):
        epochs = max(curve.same for curve in curves)
        yield Text(f"training curves: equal to the bit, {plural(epochs, 'value')} each")
        return
    table = _new_table("end of the curves", "equal from the start")
    for curve in curves[:MOST]:
        a, b = (MISSING if value is None else format_number(value) for value in (curve.a, curve.b))
        table.add_row(*map(Text, (curve.metric, a, b, f"{curve.same} of {max(curve.values)}")))
    yield table
    yield from _rest(len(curves))
