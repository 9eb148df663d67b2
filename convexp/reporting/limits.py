"""What the comparisons on one metric cannot show, for too few seeds or too large a deviation."""

from collections.abc import Sequence

from convexp.reporting.comparison import Comparison
from convexp.reporting.formatting import format_difference
from convexp.reporting.metrics import is_percentage, is_proportion
from convexp.reporting.paired import MIN_PAIRS, smallest_p
from convexp.reporting.power import MOST, POWER
from convexp.reporting.statistics import ALPHA
from convexp.terminal.words import plural


def detection_limit(comparisons: Sequence[Comparison]) -> str | None:
    """Return what the comparisons on one metric cannot show, for too few seeds or too large a deviation; None if unknown."""
    return too_few_seeds(comparisons) or detectable_differences(comparisons)


def too_few_seeds(comparisons: Sequence[Comparison]) -> str | None:
    """Return a sentence if the comparisons on one metric cannot show any difference because they have too few seeds."""
    seeds = [c.n for c in comparisons if c.p is not None]
    if comparisons and not seeds:
        return f"fewer than {MIN_PAIRS} seeds in common are too few for a verdict; run {MIN_PAIRS} or more"
    smallest = len(seeds) * min(map(smallest_p, seeds), default=0.0)
    if smallest < ALPHA:
        return None
    enough = next((n for n in range(max(seeds) + 1, max(seeds) + 4) if len(seeds) * smallest_p(n) < ALPHA), None)
    advice = f"run {enough} seeds or make fewer comparisons" if enough else "make fewer comparisons"
    return (
        f"{max(seeds)} seeds are too few to show a difference in {len(seeds)} comparisons, because the smallest possible p "
        f"after the correction is {min(1.0, smallest):.2g}; {advice}"
    )


def detectable_differences(comparisons: Sequence[Comparison]) -> str | None:
    """Return a sentence on how large a difference would have to be where none is shown on one metric; None if unknown."""
    sizes = [c.detectable for c in comparisons if not c.shows_difference and c.detectable is not None]
    if not sizes:
        return None
    metric = comparisons[0].metric
    variation = f"with the observed variation between {max(c.n for c in comparisons)} seeds"
    possible = [size for size in sizes if size <= 1 or not is_proportion(metric)]
    if possible:
        low, high = (format_difference(size, metric).lstrip("+") for size in (min(possible), max(possible)))
        unit = " points" if is_percentage(metric) else ""
        beyond = f", and none in {plural(len(sizes) - len(possible), 'comparison')}" if len(possible) < len(sizes) else ""
        smallest = low if low == high else f"{low} to {high}"
        shown = f"{variation}, only differences of at least {smallest}{unit} can be shown{beyond}"
    else:
        shown = f"{variation}, no difference that is possible can be shown"
    return "; ".join([shown, *([enough] if (enough := enough_for_a_point(comparisons)) else [])])


def enough_for_a_point(comparisons: Sequence[Comparison]) -> str | None:
    """Return how many seeds would show a difference of a point in each comparison where none is shown; None if unknown."""
    open_ones = [c for c in comparisons if not c.shows_difference]
    counts = [c.seeds_for_a_point for c in open_ones if c.seeds_for_a_point is not None]
    beyond = any(c.seeds_for_a_point is None and c.detectable is not None and is_percentage(c.metric) for c in open_ones)
    if not counts:
        return None
    return f"one point would need {_seeds(counts, beyond)} seeds (power {100 * POWER:.0f} %)"


def _seeds(counts: Sequence[int], beyond: bool) -> str:
    """The least and the most of the numbers of seeds; ``beyond`` says that some comparisons need more than is looked for."""
    low, high = min(counts), max(counts)
    if beyond:
        return f"from about {low:,} to more than {MOST:,}"
    return f"about {f'{low:,}' if low == high else f'{low:,} to {high:,}'}"
