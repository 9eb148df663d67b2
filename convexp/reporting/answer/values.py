"""Clauses with the values of one metric, for all groups or for those that stand out."""

from collections.abc import Sequence

from convexp.reporting.answer.wording import listed, name, number
from convexp.reporting.groups import Group
from convexp.reporting.metrics import is_percentage

MAX_LISTED = 4  # groups whose values all stand in the sentence
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
    return f"{'both' if len(values) == 2 else 'all'} {verb} about {100 * middle:.0f}\N{NO-BREAK SPACE}%"


def _extremes(values: Sequence[Value], metric: str, verb: str) -> str:
    (low, least), (high, most) = min(values, key=lambda v: v[1]), max(values, key=lambda v: v[1])
    between = f"from {number(least, metric)} ({name(low)}) to {number(most, metric)} ({name(high)})"
    return f"is {between}" if verb == "is" else f"the {len(values):,} configurations {verb.rstrip('es')} {between}"
