"""Units and meanings of the numbers of a probe, read from the section ``Numbers:`` of its docstring."""

import inspect
import re
from functools import cache

from convexp.config.docstrings import Entry, entries


def describe_number(probe: type, name: str) -> Entry | None:
    """Return the unit (``kind``) and the meaning (``text``) of a number of ``probe``, or None if it is not documented."""
    return next((entry for pattern, entry in _documented(probe) if pattern.fullmatch(name)), None)


@cache
def _documented(probe: type) -> list[tuple[re.Pattern[str], Entry]]:
    return [(_pattern(entry.name), entry) for entry in entries(inspect.getdoc(probe), "Numbers")]


def _pattern(name: str) -> re.Pattern[str]:
    """Return a pattern for a documented name, in which LAYER stands for any layer and other capitals for one word."""
    return re.compile(re.sub(r"[A-Z]+", r"\\w+", name.replace("LAYER", ".+")))
