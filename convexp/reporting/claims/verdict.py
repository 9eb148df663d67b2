"""What follows from the numbers for a claim.

In each of its cases a claim says in which range a number lies. With the interval of the number

- **holds**: the whole interval lies within the range;
- **does not hold**: no point of it does;
- **not shown**: neither; or there is no interval that says how certain the number is;
- **not run**: there are no runs.

There is none for fewer than three seeds, if some seeds gave no number, or if runs differ in a setting
that the claim does not name. Equal values of all seeds have an interval without a width. They count from six seeds on, as in
the sign test, or from three if the claim says that its number is exact.

The intervals of all cases of a claim hold together with 95 % (Bonferroni). Where cases differ the verdict names them: *holds
only if* names those in which the claim holds while it does not in another.
"""

from collections.abc import Sequence
from enum import StrEnum

from convexp.config.schema.claim import Claim, Settings
from convexp.records.settings import display_value, printable
from convexp.reporting.claims.measure import Interval, Measured
from convexp.reporting.formatting import short_setting
from convexp.reporting.paired import MIN_PAIRS

MIN_EQUAL = 6  # seeds: the fewest equal signs with p < 0.05 in a sign test


class Outcome(StrEnum):
    """What the numbers say of a claim in one case."""

    HOLDS = "holds"
    FAILS = "does not hold"
    OPEN = "not shown"
    ABSENT = "not run"


def outcome(claim: Claim, number: Interval | None) -> Outcome:
    """Return what the interval of a number says of a claim."""
    if number is None:
        return Outcome.ABSENT
    if number.low is None or number.high is None or number.n < MIN_PAIRS:
        return Outcome.OPEN
    if number.low == number.high and number.n < MIN_EQUAL and not claim.exact:
        return Outcome.OPEN
    low, high = claim.range
    if low < number.low and number.high < high:
        return Outcome.HOLDS
    return Outcome.FAILS if number.high < low or high < number.low else Outcome.OPEN


def verdict(claim: Claim, measured: Sequence[Measured]) -> str:
    """Return the verdict on a claim: what all its cases say, or what each says."""
    cases: dict[Outcome, list[str]] = {}
    for each in measured:
        found = outcome(claim, each.number) if each.is_whole else Outcome.OPEN
        cases.setdefault(found, []).append(case_text(each.case) or "all")
    if len(cases) == 1:
        return str(next(iter(cases)))
    if not {Outcome.HOLDS, Outcome.FAILS} <= cases.keys():
        return _joined(cases, tuple(Outcome))
    only = f"holds only if {' or '.join(cases[Outcome.HOLDS])}"
    rest = _joined(cases, (Outcome.OPEN, Outcome.ABSENT))
    return f"{only}; {rest}" if rest else only


def _joined(cases: dict[Outcome, list[str]], outcomes: Sequence[Outcome]) -> str:
    return "; ".join(f"{each} if {' or '.join(cases[each])}" for each in outcomes if each in cases)


def case_text(case: Settings) -> str:
    """Return the settings of a case as ``shift.train=0.2``; empty for the only case of a claim."""
    return ", ".join(f"{printable(short_setting(name))}={display_value(value)}" for name, value in case.items())
