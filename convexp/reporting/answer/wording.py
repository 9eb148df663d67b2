"""Words that the sentences of an answer are made of."""

from collections.abc import Sequence

from convexp.reporting.formatting import format_number, truncate
from convexp.reporting.metrics import is_percentage
from convexp.terminal.words import plural

LABEL_LENGTH = 60  # characters of a label in a sentence
PER_CENT = "\N{NO-BREAK SPACE}%"


PLURALS = {"reaches": "reach", "falls to": "fall to"}


def plural_verb(verb: str) -> str:
    """Return ``reach`` for ``reaches``, ``fall to`` for ``falls to``."""
    return PLURALS[verb]


def listed(parts: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, or ``a, b and c``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def name(label: str) -> str:
    """Return a label, cut if it is too long for a sentence."""
    return truncate(label, LABEL_LENGTH)


def number(value: float, metric: str) -> str:
    """Return a value with its unit: ``98.4 %`` for accuracies, ``0.1234`` for other metrics."""
    return f"{100 * value:.1f}{PER_CENT}" if is_percentage(metric) else format_number(value)


def seeds(counts: Sequence[int]) -> str:
    """Return how many seeds the means are over: ``one seed each``, ``mean over 3 seeds``, ``mean over 2 to 3 seeds``."""
    low, high = min(counts), max(counts)
    if high == 1:
        return "one seed" if len(counts) == 1 else "one seed each"
    return f"mean over {plural(high, 'seed')}" if low == high else f"mean over {low} to {high} seeds"
