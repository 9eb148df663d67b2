"""What the comparisons on one metric show, in words for the end of a clause."""

from collections.abc import Sequence

from convexp.reporting.answer.wording import listed, name
from convexp.reporting.comparison import HIGHER, LOWER, Comparison
from convexp.reporting.findings import split_common_words
from convexp.reporting.formatting import short_setting

MAX_NAMED = 4  # comparisons that are named one by one


def verdict(comparisons: Sequence[Comparison]) -> str:
    """Return what the comparisons on one metric show, as the end of a sentence; empty if none has enough seeds for a verdict.

    Such as ``, and no difference is shown``, ``: dense and local are lower than conv``, or a count where they are many.
    """
    tested = [c for c in comparisons if c.p is not None]
    shown = [c for c in tested if c.shows_difference]
    if not tested:
        return ""
    if not shown:
        return ", and no difference is shown"
    if len({c.baseline for c in tested}) > 1 or len(tested) > MAX_NAMED:
        return f", and a difference is shown in {_share(tested)}"
    parts = [_relation([c for c in shown if c.verdict == direction]) for direction in (HIGHER, LOWER)]
    alike = [name(c.label) for c in tested if not c.shows_difference]
    rest = [f"for {listed(alike)} no difference to {name(tested[0].baseline)} is shown"] if alike else []
    return f": {', and '.join(part for part in (*parts, *rest) if part)}"


def verdict_along(along: Sequence[Comparison], comparisons: Sequence[Comparison], again: bool = False) -> str:
    """Return what the comparisons along axes and those with the baseline show on one metric, as ``verdict`` does.

    If the sentence has said it of another metric (``again``), the numbers stand alone.
    """
    tested = [c for c in along if c.p is not None]
    if not tested:
        return verdict(comparisons)
    others = [c for c in comparisons if c.p is not None]
    if nothing_shown([*tested, *others]):
        return ", and no difference is shown"
    if again:
        return f" (a difference in {' and '.join(_count(found) for found in (tested, others) if found)})"
    axes = {axis: [c for c in tested if c.axis == axis] for axis in dict.fromkeys(c.axis for c in tested)}
    counts = [f"{_share(its)} along {short_setting(axis or '')}" for axis, its in axes.items()]
    counts += [_share(others)] if others else []
    return f", and a difference is shown in {' and in '.join(counts)}"


def _share(tested: Sequence[Comparison]) -> str:
    """``1 of 6 comparisons with conv``, where the baselines have a word in common that their groups lack."""
    baselines = {split_common_words(c.label, c.baseline)[1] for c in tested}
    with_what = f" with {name(baselines.pop())}" if len(baselines) == 1 else ""
    return f"{_count(tested)} {'comparison' if len(tested) == 1 else 'comparisons'}{with_what}"


def _count(tested: Sequence[Comparison]) -> str:
    return f"{sum(c.shows_difference for c in tested):,} of {len(tested):,}"


def nothing_shown(comparisons: Sequence[Comparison]) -> bool:
    """Whether there are verdicts on one metric, and none of them is a difference."""
    return any(c.p is not None for c in comparisons) and not any(c.shows_difference for c in comparisons)


def _relation(found: Sequence[Comparison]) -> str:
    """``dense and local are lower than conv``."""
    if not found:
        return ""
    labels = [name(c.label) for c in found]
    return f"{listed(labels)} {'are' if len(labels) > 1 else 'is'} {found[0].verdict} than {name(found[0].baseline)}"
