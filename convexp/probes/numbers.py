"""What the numbers of a probe are: its docstring says so, once, in the section ``Numbers:``."""

import inspect
import re
from functools import cache

from convexp.config.docstrings import Entry, entries


def number(probe: type, name: str) -> Entry | None:
    """Unit (its ``kind``) and meaning (its ``text``) of a number that ``probe`` finds; None if its docstring does not say."""
    return next((entry for pattern, entry in _documented(probe) if pattern.fullmatch(name)), None)


@cache
def _documented(probe: type) -> list[tuple[re.Pattern[str], Entry]]:
    """Names with what they stand for; LAYER is any layer's name, other words in capitals are one word each."""
    return [(_pattern(entry.name), entry) for entry in entries(inspect.getdoc(probe), "Numbers")]


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"[A-Z]+", r"\\w+", name.replace("LAYER", ".+")))
