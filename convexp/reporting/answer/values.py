"""Clauses with the values of one metric, for all groups or for those that stand out."""

from collections.abc import Sequence

from convexp.reporting.answer.wording import PER_CENT, listed, name, number, plural_verb
from convexp.reporting.groups import Group
from convexp.reporting.metrics import is_percentage

MAX_LISTED = 4  # groups whose values all stand in the sentence
MAX_STANDING_OUT = 2  # groups that are named beside a range of the others
CLOSE = 0.01  # proportions that are no further apart are given as one number

Value = tuple[str, float]  # a group's label and mean


def values_of(groups: Sequence[Group], metric: str) -> list[Value]:
    """Return the mean of each group that has the metric."""
    return [(group.label, mean.mean) for group in groups if (mean := group.metric(metric)) is not None]


def clause(values: Sequence[Value], metric: str, verb: str = "reaches") -> str:
    """Return the values of a few groups, or the highest and the lowest of many.

    Args:
        values: At least one value.
        metric: The metric.
        verb: The verb after the first label; ``is`` puts the values first, for a sentence whose subject is the metric.
    """
    if len(values) > MAX_LISTED:
        return _extremes(values, metric, verb)
    if verb == "is":
        return f"is {listed([f'{number(value, metric)} for {name(label)}' for label, value in values])}"
    first, *others = [(name(label), number(value, metric)) for label, value in values]
    return listed([f"{first[0]} {verb} {first[1]}", *(f"{label} {value}" for label, value in others)])


def close_together(values: Sequence[Value], metric: str) -> bool:
    """Whether several proportions are so close together that one number stands for all."""
    numbers = [value for _, value in values]
    return is_percentage(metric) and len(numbers) > 1 and max(numbers) - min(numbers) <= CLOSE


def one_number(values: Sequence[Value], verb: str) -> str:
    """Return ``all fall to about 21 %`` for values that are close together."""
    middle = sum(value for _, value in values) / len(values)
    return f"{'both' if len(values) == 2 else 'all'} {plural_verb(verb)} about {100 * middle:.0f}{PER_CENT}"


def _extremes(values: Sequence[Value], metric: str, verb: str) -> str:
    """The few that stand out and the range of the others, or the lowest and the highest."""
    ranked = sorted(values, key=lambda v: v[1])
    if verb != "is" and close_together(values, metric):
        return f"the {len(values):,} configurations {plural_verb(verb)} {_range(ranked, metric)}"
    few, others = _standing_out(ranked, metric) if verb != "is" else ([], ranked)
    if few:
        named = listed([f"{name(label)} has {number(value, metric)}" for label, value in few])
        return f"{named}, the other {len(others):,} {plural_verb(verb)} {_range(others, metric)}"
    (low, least), (high, most) = ranked[0], ranked[-1]
    between = f"from {number(least, metric)} ({name(low)}) to {number(most, metric)} ({name(high)})"
    return f"is {between}" if verb == "is" else f"the {len(values):,} configurations {plural_verb(verb)} {between}"


def _range(ranked: Sequence[Value], metric: str) -> str:
    """``20.5 to 21.7 %``."""
    low, high = (number(value, metric) for _, value in (ranked[0], ranked[-1]))
    return low if low == high else f"{low.removesuffix(PER_CENT)} to {high}"


def _standing_out(ranked: list[Value], metric: str) -> tuple[list[Value], list[Value]]:
    """The one or two above or below all others by more than half of the whole range, the highest first; and the others."""
    if not is_percentage(metric):
        return [], ranked
    for count in range(1, MAX_STANDING_OUT + 1):
        for few, others in ((ranked[-count:], ranked[:-count]), (ranked[:count], ranked[count:])):
            gap = max(few[0][1] - others[-1][1], others[0][1] - few[-1][1])
            if gap > (ranked[-1][1] - ranked[0][1]) / 2:
                return few[::-1], others
    return [], ranked
