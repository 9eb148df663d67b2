"""What the comparisons along an axis show, a line for each axis and metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from convexp.reporting.comparison import NOT_SHOWN, Comparison
from convexp.reporting.formatting import format_difference, format_number, short_setting
from convexp.reporting.limits import detection_limit
from convexp.reporting.metrics import is_percentage
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
        (axis, Verdict(metric, direction_of(compared), _text(axis, compared), detection_limit(compared)))
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
    """Return the stretches of the steps of one line, without the comparison of its ends."""
    neighbours = steps[:-1] if len(steps) > 2 else steps
    by_verdict = [list(found) for _, found in groupby(neighbours, key=lambda c: c.verdict)]
    return [Stretch(found[0].verdict, found[0].start or 0.0, found[-1].stop or 0.0) for found in by_verdict]


def _text(axis: str, compared: Sequence[Comparison]) -> str:
    lines: dict[str, list[Comparison]] = {}
    for c in compared:
        lines.setdefault(c.line or "", []).append(c)
    if len(lines) > MAX_LINES:
        shown = sum(c.shows_difference for c in compared)
        return f"a difference in {shown:,} of {len(compared):,} comparisons along {short_setting(axis)}"
    return ". ".join(_of_line(name, steps) for name, steps in lines.items())


def _of_line(name: str, steps: Sequence[Comparison]) -> str:
    first, *others = stretches(steps)
    parts = [f"{first.verdict} from {format_number(first.start)} to {format_number(first.stop)}"]
    parts += [f"{s.verdict} to {format_number(s.stop)}" for s in others]
    subject = "" if name == "all" else f"{name} "
    if len(parts) == 1 and len(steps) == 1:
        return f"{subject}{parts[0]} ({_points(steps[0])})"
    ends = steps[-1]
    verdict = ends.verdict if ends.shows_difference else NOT_SHOWN
    return f"{subject}{', '.join(parts)}; from end to end {_points(ends)}, {verdict}"


def _points(c: Comparison) -> str:
    return f"{format_difference(c.difference, c.metric)}{' points' if is_percentage(c.metric) else ''}"
