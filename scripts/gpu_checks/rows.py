"""What a check finds: rows of a table, each a figure with its unit and the bound that it is held against."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

from results import Figure

Outcome = Literal["ok", "measured", "reached", "missed", "not applicable", "left out", "wrong", "failed"]
BAD: tuple[Outcome, ...] = ("wrong", "failed")
"""Outcomes that are errors. A goal of speed that was missed is none, and what was left out is none."""
SECONDS = "seconds of the check"
"""What the last row of every check is about."""


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: What was measured.
        outcome: ok or wrong, where a bound has to hold; reached or missed, where it is a goal of speed; measured, where there
            is no bound; not applicable, on this device; left out, as the time was over; failed, where there was an error.
        value: The figure, the median of ``n``; None if there is none.
        unit: Its unit.
        low: The smallest of the ``n``.
        high: The largest.
        n: How many times it was measured.
        bound: What it was held against, in words.
        note: What else there is to say.
        traceback: Of the error, if there was one.
    """

    what: str
    outcome: Outcome
    value: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    n: int = 0
    bound: str = ""
    note: str = ""
    traceback: str = ""

    def written(self) -> dict[str, Any]:
        """For JSON: what is not empty."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", 0) or name == "value"}

    def figure(self) -> str:
        """The figure with its unit, and with its range if it was measured several times."""
        if self.value is None:
            return ""
        shown = f"{self.value:.4g} {self.unit}".strip()
        return shown if self.low is None or self.high is None else f"{shown} ({self.low:.4g} to {self.high:.4g}, n = {self.n})"

    def cells(self) -> list[str]:
        """What, figure, bound, outcome and note."""
        return [self.what, self.figure(), self.bound, self.outcome, self.note]


def measured(what: str, values: Sequence[float], unit: str, note: str = "", most: float | None = None) -> Row:
    """A figure measured several times; ``most`` is a goal for the median."""
    middle = median(values)
    outcome: Outcome = "measured" if most is None else "reached" if middle <= most else "missed"
    bound = "" if most is None else f"goal: at most {most:g}"
    span = {"low": min(values), "high": max(values)} if len(values) > 1 else {}
    return Row(what, outcome, middle, unit, n=len(values), bound=bound, note=note, **span)


def held(what: str, value: float, most: float, unit: str = "", note: str = "") -> Row:
    """A figure that has to be at most ``most``, and a number."""
    return Row(what, "ok" if value <= most else "wrong", value, unit, n=1, bound=f"at most {most:g}", note=note)


def true(what: str, fact: bool, note: str = "") -> Row:
    """Something that has to be so."""
    return Row(what, "ok" if fact else "wrong", note=note)


def not_applicable(what: str, why: str) -> Row:
    """Something that this device cannot do."""
    return Row(what, "not applicable", note=why)


def left_out(what: str, why: str) -> Row:
    """Something that there was no time for."""
    return Row(what, "left out", note=why)


def failed(what: str, why: str, traceback: str = "") -> Row:
    """An error."""
    return Row(what, "failed", note=why, traceback=traceback)


def figures(checks: Mapping[str, Sequence[Row]]) -> list[Figure]:
    """What was measured, by check; what was only held against a bound is no figure."""
    return [
        Figure(
            f"{name}: {row.what}",
            row.value,
            row.unit,
            row.n,
            *(row.value if end is None else end for end in (row.low, row.high)),
        )
        for name, rows in checks.items()
        for row in rows
        if row.value is not None and row.outcome in ("measured", "reached", "missed")
    ]
