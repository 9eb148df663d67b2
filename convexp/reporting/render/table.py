"""The groups and their comparisons as tables: on the terminal and as Markdown."""

import re
from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from convexp.reporting.comparisons import HIGHER, LOWER, NOT_SHOWN, Comparison, by_metric, could_show, too_few
from convexp.reporting.formatting import COLUMNS, signed, spread, title
from convexp.reporting.groups import Group

MEANING = {
    "test": "test, shift mean, shift worst: accuracy (%) as it is, and over all shifts of the grid",
    "consistency": "consistency: same answer for two shifts (%), and by chance: for two images of different classes",
    "FLOPs": "FLOPs: of one image forward",
}
COMPARED = (
    "mean of the differences between runs of the same seed (shares: in points); p after Holm's correction for all comparisons "
    "on the metric, below 0.05 for a verdict; the interval, of that correction too, leaves out 0 just there"
)
NAMED = 4
GAP = 3  # characters between columns
SHOWN = {HIGHER: HIGHER, LOWER: LOWER, NOT_SHOWN: "nothing"}
Rows = list[list[str]]


def columns(groups: Sequence[Group]) -> dict[str, str]:
    """Of ``COLUMNS`` those that a group has values for."""
    return {name: metric for name, metric in COLUMNS.items() if any(g.metric(metric) for g in groups)}


def caption(groups: Sequence[Group]) -> str:
    """What the columns mean."""
    said = [MEANING[name] for name in columns(groups) if name in MEANING]
    return "; ".join([*said, "mean and 95 % interval over n seeds"])


def rows(groups: Sequence[Group]) -> Rows:
    """The header and a row per group."""
    shown = columns(groups)
    body = [[g.label, f"{g.parameters:,}", str(g.n), *(_cell(g, metric) for metric in shown.values())] for g in groups]
    return [["wiring", "parameters", "n", *shown], *body]


def _cell(group: Group, metric: str) -> str:
    """The mean; with its own n, if not every run has the metric."""
    value = group.metric(metric)
    fewer = f" (n = {value.n})" if value is not None and value.n < group.n else ""
    return spread(value, metric) + fewer


def comparison_rows(comparisons: Sequence[Comparison]) -> Rows:
    """The header and a row per comparison."""
    names = {metric: name for name, metric in COLUMNS.items()}
    body = [[names.get(c.metric, c.metric), c.label, c.baseline, str(c.n), *_numbers(c), SHOWN[c.verdict]] for c in comparisons]
    return [["metric", "wiring", "against", "n", "difference", "interval", "p", "shown"], *body]


def _numbers(c: Comparison) -> list[str]:
    interval = "—" if c.low is None else f"{signed(c.low, c.metric)} to {signed(c.high, c.metric)}"
    return [signed(c.difference, c.metric), interval, p_text(c.p_adjusted)]


def p_text(p: float | None) -> str:
    """Three digits after the point."""
    if p is None:
        return "—"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def verdicts(comparisons: Sequence[Comparison]) -> list[str]:
    """A sentence for each metric: which groups are higher or lower than what, and for how many nothing is shown."""
    return [_verdict(metric, found) for metric, found in by_metric(comparisons).items()]


def _verdict(metric: str, found: Sequence[Comparison]) -> str:
    parts = [f"{c.label} is {c.verdict} than {c.baseline}" for c in found if c.verdict != NOT_SHOWN]
    without = len(found) - len(parts)
    if len(parts) > NAMED:
        parts[NAMED:] = [f"and so on, {len(parts)} differences in all"]
    if without:
        parts.append(f"{NOT_SHOWN} in {without} of {len(found)} comparisons" if parts else NOT_SHOWN)
    if reason := too_few(found) or could_show(found):
        parts.append(reason)
    return f"{title(metric)}: {'; '.join(parts)}"


def rich_table(
    table: Rows, left: Sequence[int] = (0,), heading: str | None = None, note: str | None = None, width: int = 10_000
) -> Table:
    """For the terminal; the columns ``left`` hold words, which fold, the others numbers, which are never cut: if they do not
    fit into ``width`` characters, what is in brackets stands below them."""
    if sum(max(map(len, column)) + GAP for column in zip(*table, strict=True)) > width:
        table = [[cell if i in left else cell.replace(" (", "\n(") for i, cell in enumerate(row)] for row in table]
    header, *body = table
    made = Table(title=heading and Text(heading), caption=note, box=box.SIMPLE_HEAD, pad_edge=False, title_style="bold")
    made.title_justify = made.caption_justify = "left"
    for index, name in enumerate(header):
        cells = [row[index] for row in (header, *body)]
        if index in left:
            made.add_column(name, min_width=max(len(word) for cell in cells for word in cell.split() or [""]))
        else:
            made.add_column(name, justify="right", min_width=max(len(line) for cell in cells for line in cell.split("\n")))
    for row in body:
        made.add_row(*map(Text, row))
    return made


def markdown(table: Rows, left: Sequence[int] = (0,)) -> str:
    """A Markdown table."""
    header, *body = [[escaped(cell) for cell in row] for row in table]
    lines = [header, ["---" if index in left else "---:" for index in range(len(header))], *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def escaped(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no end of a cell."""
    text = re.sub(r"([\\`*\[\]|])", r"\\\1", text)
    text = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
