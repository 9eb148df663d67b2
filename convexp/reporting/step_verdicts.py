"""What the comparisons along an axis show, a line for each axis and metric."""

from collections.abc import Sequence
from dataclasses import dataclass

from convexp.reporting.comparison import Comparison
from convexp.reporting.findings import points
from convexp.reporting.formatting import format_number, short_setting
from convexp.reporting.limits import detection_limit
from convexp.reporting.verdicts import Verdict, direction_of

MAX_LINES = 6  # lines along an axis that are named one by one


def step_verdicts(along: Sequence[Comparison]) -> list[tuple[str, Verdict]]:
    """Return each axis and metric with what the steps along it show.

    Steps of one line with the same verdict are put together: ``higher from 1 to 7, no difference shown to 55``.
    """
    found: dict[tuple[str, str], list[Comparison]] = {}
    for c in along:
        found.setdefault((c.axis or "", c.metric), []).append(c)
    return [
        (axis, Verdict(metric, direction_of(compared), _text(compared), detection_limit(compared)))
        for (axis, metric), compared in found.items()
    ]


def step_lines(along: Sequence[Comparison]) -> list[str]:
    """Return the verdicts along the axes as text, a line each."""
    return [f"along {short_setting(axis)}, {verdict}" for axis, verdict in step_verdicts(along)]


@dataclass(frozen=True)
class Stretch:
    """Steps that follow each other and have the same verdict."""

    verdict: str
    start: float
    stop: float


def stretches(steps: Sequence[Comparison]) -> list[Stretch]:
    """Return the stretches of the steps of one line, without the comparison of its ends if there are others.

    Where a value between lacks the metric, a stretch ends and the next one starts later.
    """
    found: list[Stretch] = []
    for c in [c for c in steps if not c.whole] or steps:
        start, stop = c.start or 0.0, c.stop or 0.0
        if found and (found[-1].verdict, found[-1].stop) == (c.verdict, start):
            found[-1] = Stretch(c.verdict, found[-1].start, stop)
        else:
            found.append(Stretch(c.verdict, start, stop))
    return found


def _text(compared: Sequence[Comparison]) -> str:
    lines: dict[str, list[Comparison]] = {}
    for c in compared:
        lines.setdefault(c.line or "", []).append(c)
    if len(lines) > MAX_LINES:
        shown = sum(c.shows_difference for c in compared)
        return f"a difference in {shown:,} of {len(compared):,} comparisons"
    return ". ".join(_of_line(name, steps) for name, steps in lines.items())


def _of_line(name: str, steps: Sequence[Comparison]) -> str:
    subject = "" if name == "all" else f"{name} "
    said = f"{subject}{_in_words(stretches(steps))}"
    if len(steps) == 1:
        return f"{said} ({points(steps[0])})"
    ends = next((c for c in steps if c.whole), None)
    return f"{said}; from end to end {points(ends)}, {ends.verdict}" if ends else said


def _in_words(found: Sequence[Stretch]) -> str:
    """The stretches; the start of one is named where it is not the end of the one before."""
    parts: list[str] = []
    end = None
    for each in found:
        start = "" if each.start == end else f" from {format_number(each.start)}"
        parts.append(f"{each.verdict}{start} to {format_number(each.stop)}")
        end = each.stop
    return ", ".join(parts)
