"""Wait for runs that go on in processes of an earlier start, which was killed without them."""

import time
from collections.abc import Sequence
from pathlib import Path

from convexp.records.statuses import busy_among
from convexp.terminal import console

SECONDS = 0.5  # between two looks


def wait_until_free(root: Path, folders: Sequence[str]) -> None:
    """Wait until no process works in any of the folders."""
    busy = busy_among(root / folder for folder in folders)
    if busy:
        names = ", ".join(sorted(path.name for path in busy))
        console.out.print(f"waiting for {names}, which another process is working on", markup=False)
    while busy := busy_among(busy):
        time.sleep(SECONDS)
