"""Checks that tensors fit into memory before they are allocated: a system that runs out of it kills processes or swaps."""

import math
import os
from pathlib import Path

from convexp.errors import ConfigError

GROUPS = (  # limit and use of memory in a container, for control groups of version 2 and of version 1
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)
NO_LIMIT = 2**63


def check_fits(setting: str, needs: dict[str, int], free: int | None = None) -> None:
    """Raise a ConfigError naming ``setting`` unless the bytes of all ``needs`` together are at most ``free``.

    Args:
        setting: The setting as a user types it, with its value.
        needs: Numbers of bytes, by what they are needed for.
        free: Number of free bytes; None for what is free on this machine.
    """
    free = free_bytes() if free is None else free
    if sum(needs.values()) > free:
        parts = ", ".join(f"{_gb(size)} for {what}" for what, size in needs.items())
        raise ConfigError(f"{setting}: does not fit into memory; it takes {parts}, and {_gb(free)} are free here")


def free_bytes() -> int:
    """Return the number of bytes that can still be allocated: what Linux reports as available, swap included, within the
    limits of a container. On other systems it is all the memory of the machine, an upper bound.
    """
    try:
        lines = (line.split() for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        known = {name: int(number) * 1024 for name, number, *_ in lines}
        free = known["MemAvailable:"] + known["SwapFree:"]
    except (OSError, KeyError, ValueError):
        free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(free, *(_free_in_group(most, used) for most, used in GROUPS))


def _free_in_group(most: Path, used: Path) -> int:
    """Return the number of free bytes in a container; cached files count as free, as the system drops them when needed."""
    try:
        limit = most.read_text(encoding="ascii").strip()
        lines = (line.split() for line in used.with_name("memory.stat").read_text(encoding="ascii").splitlines())
        known = {name: int(number) for name, number in lines}
        cached = known["active_file"] + known["inactive_file"]
        return NO_LIMIT if limit == "max" else int(limit) - int(used.read_text(encoding="ascii")) + cached
    except (OSError, KeyError, ValueError):
        return NO_LIMIT


def _gb(size: int) -> str:
    digits = 1 if size < 1e11 else 0
    return f"{size / 1e9:,.{digits}f} GB" if size < 1e15 else f"1e{math.floor(math.log10(size)) - 9} GB"
