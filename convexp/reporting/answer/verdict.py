"""What the comparisons on one metric show, in words for the end of a clause."""

from collections.abc import Sequence

from convexp.reporting.answer.wording import listed, name
from convexp.reporting.compare import HIGHER, LOWER, Comparison
from convexp.reporting.formatting import plural

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
        return (
            f", and {len(shown)} of {plural(len(tested), 'comparison')} {'shows' if len(shown) == 1 else 'show'} a difference"
        )
    parts = [_relation([c for c in shown if c.verdict == direction]) for direction in (HIGHER, LOWER)]
    alike = [name(c.label) for c in tested if not c.shows_difference]
    rest = [f"for {listed(alike)} no difference to {name(tested[0].baseline)} is shown"] if alike else []
    return f": {', and '.join(part for part in (*parts, *rest) if part)}"


def nothing_shown(comparisons: Sequence[Comparison]) -> bool:
    """Whether there are verdicts on one metric, and none of them is a difference."""
    return any(c.p is not None for c in comparisons) and not any(c.shows_difference for c in comparisons)


def _relation(found: Sequence[Comparison]) -> str:
    """``dense and local are lower than conv``."""
    if not found:
        return ""
    labels = [name(c.label) for c in found]
    return f"{listed(labels)} {'are' if len(labels) > 1 else 'is'} {found[0].verdict} than {name(found[0].baseline)}"
