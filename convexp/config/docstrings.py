"""What docstrings say entry by entry, in the sections ``Args:`` and ``Numbers:``."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """``name (kind): text``, the text in one line."""

    name: str
    kind: str
    text: str


def entries(docstring: str | None, section: str) -> list[Entry]:
    """The entries of a section of a docstring whose indentation has been taken away; none where there is no such section."""
    _, _, rest = (docstring or "").partition(f"{section}:\n")
    within = re.split(r"\n(?=\S)", rest)[0]
    found = re.findall(r"^    ([\w/]+)(?: \(([^)]*)\))?: (.*(?:\n     +.*)*)", within, re.MULTILINE)
    return [Entry(name, kind, " ".join(text.split())) for name, kind, text in found]
