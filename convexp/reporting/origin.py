"""From what a page was made, and whether it was made from this."""

import hashlib
import marshal
import re
from pathlib import Path

from convexp import __version__
from convexp.reporting.report import Report

ORIGIN = "convexp-made-from"  # the name of the page's meta element whose content is the digest
HEAD = 4096  # bytes of the page within which it stands


def digest(report: Report) -> str:
    """16 hex digits of the SHA-256 of all that a page shows, before it is put into words and pictures: the runs as they were
    read, those that are not finished, the plan, the warnings, and the version of convexp."""
    others = repr((__version__, report.title, report.plan, report.unfinished, report.provenance.warnings))
    # The runs are plain containers, which marshal writes five times as fast as repr; its versions above 2 would tell
    # equal objects from one and the same.
    return hashlib.sha256(marshal.dumps((others, report.runs), 2)).hexdigest()[:16]


def made_from(page: Path) -> str | None:
    """The digest that a page notes; None if there is no page, or none that says so."""
    try:
        if not page.is_file():
            return None
        with page.open("rb") as file:
            head = file.read(HEAD).decode(errors="replace")
    except OSError:
        return None
    found = re.search(rf'<meta name="{ORIGIN}" content="(\w+)">', head)
    return found[1] if found else None
