"""Entries of the docstring sections ``Args:`` and ``Numbers:``."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """An entry ``name (kind): text`` of a section of a docstring; line breaks of the text are replaced by spaces."""

    name: str
    kind: str
    text: str


def entries(docstring: str | None, section: str) -> list[Entry]:
    """The entries of ``section`` in an unindented docstring; an empty list if it has no such section."""
    _, _, rest = (docstring or "").partition(f"{section}:\n")
    within = re.split(r"\n(?=\S)", rest)[0]
    found = re.findall(r"^    ([\w/]+)(?: \(([^)]*)\))?: (.*(?:\n     +.*)*)", within, re.MULTILINE)
    return [Entry(name, kind, " ".join(text.split())) for name, kind, text in found]
