"""Digest of what a page was made from, so that an unchanged report is not drawn again."""

import hashlib
import re
from pathlib import Path
from typing import Any

import msgspec

from convexp import __version__
from convexp.records.playground import FILE as PLAYGROUND
from convexp.reporting.report import Report

META_NAME = "convexp-made-from"  # name of the page's meta element whose content is the digest
HEAD_BYTES = 4096  # of the page, in which the meta element stands


def digest(report: Report) -> str:
    """Return 16 hex digits of the SHA-256 of everything that a page shows.

    These are the records of the runs, the unfinished runs, the plan, the warnings, what a search has found, what follows for
    claims (from ensembles, too), the version of convexp, and the sizes of the networks that visitors may play with. Pictures
    are not among them.
    """
    others = repr((__version__, report.title, report.plan, report.unfinished, report.provenance.warnings, report.search))
    others += repr(report.claims)
    others += repr([_size(report.root / group.runs[0].path / PLAYGROUND) for group in report.groups])
    return hashlib.sha256(_encoded((others, report.runs))).hexdigest()[:16]


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None


def _encoded(value: Any) -> bytes:
    """Bytes that are equal for equal values: msgpack, or the slower repr for whole numbers and texts that msgpack lacks."""
    try:
        return msgspec.msgpack.encode(value)
    except (OverflowError, UnicodeEncodeError):
        return repr(value).encode(errors="surrogatepass")


def recorded_digest(page: Path) -> str | None:
    """Return the digest recorded in a page; None if there is no page, or no digest in it."""
    try:
        if not page.is_file():
            return None
        with page.open("rb") as file:
            head = file.read(HEAD_BYTES).decode(errors="replace")
    except OSError:
        return None
    found = re.search(rf'<meta name="{META_NAME}" content="(\w+)">', head)
    return found[1] if found else None
