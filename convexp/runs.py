"""Runs in Python: ``load`` a folder of them as a table, their ``curves`` and ``maps``; ``open`` one with network and data."""

from pathlib import Path
from typing import TYPE_CHECKING

from convexp.records.curves import curves
from convexp.records.frame import load
from convexp.records.maps import maps

if TYPE_CHECKING:
    from convexp.execution.restore import OpenedRun

__all__ = ["curves", "load", "maps", "open"]


def open(run: str | Path, data_root: str | Path | None = None) -> "OpenedRun":
    """Open a run, as ``convexp.execution.restore.open_run`` does; torch is imported only now."""
    from convexp.execution.restore import open_run

    return open_run(run, data_root)
