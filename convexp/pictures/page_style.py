"""What every page has in common: its colours on light and dark paper, its margins, links, and how it scrolls."""

from pathlib import Path


def page_style() -> str:
    """Return the style sheet that stands before those of a page.

    It defines ``--paper``, ``--ink``, ``--muted``, ``--rule``, ``--wash``, ``--link``, ``--warn`` and ``--warn-wash``.
    """
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")
