"""The width at which a network costs as much as it may: what ``match`` asks for."""

from collections.abc import Callable
from functools import cache

NARROWEST, WIDEST = 1e-6, 4096.0  # with the first every stage has one channel


class BudgetError(ValueError):
    """No width makes a network cost about as much as the budget."""


def nearest_width(match: str, count: Callable[[float], int]) -> float:
    """Return the width, a factor on all channels and hidden units, at which a network's cost is nearest to a budget.

    The cost grows in steps with the width, so the widths on both sides of the budget are found by bisection, and the nearer one
    is taken.

    Args:
        match: ``params:N`` or ``flops:N``.
        count: Counts the parameters or FLOPs of the network of a width.

    Raises:
        BudgetError: If even the narrowest network costs more than the budget, or the widest less.
    """
    kind, _, number = match.partition(":")
    budget, cost = int(number), cache(count)
    low, high = NARROWEST, 1.0
    if cost(low) > budget:
        raise BudgetError(f"match={match}: even one channel per stage makes {cost(low):,} {kind}; ask for that many or more")
    while cost(high) < budget:
        high *= 2
        if high > WIDEST:
            raise BudgetError(f"match={match}: {WIDEST:.0f} times the width still makes fewer {kind}; ask for less")
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if cost(middle) > budget else (middle, high)
    return min((low, high), key=lambda width: abs(cost(width) - budget))
