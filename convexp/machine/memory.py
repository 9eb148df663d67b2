"""Whether what is wanted fits into memory, said before it is allocated: a system that has promised too much kills or crawls."""

import math
import os
from pathlib import Path

from convexp.errors import ConfigError

GROUPS = (  # of a container: the most, and what is in use; of control groups of version 2, and of version 1
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),
)
NO_LIMIT = 2**63


def check_fits(setting: str, needs: dict[str, int], free: int | None = None) -> None:
    """Raise a ConfigError naming ``setting`` unless the bytes of all ``needs`` together are at most ``free``.

    Args:
        setting: as a user types it, with its value.
        needs: bytes by what they are for.
        free: bytes; None for those of this machine.
    """
    free = free_bytes() if free is None else free
    if sum(needs.values()) > free:
        parts = ", ".join(f"{_gb(size)} for {what}" for what, size in needs.items())
        raise ConfigError(f"{setting}: does not fit into memory; it takes {parts}, and {_gb(free)} are free here")


def free_bytes() -> int:
    """Memory that may still be taken: what Linux says is available, with swap, within the limits of a container.

    Elsewhere all that is built in: an upper bound.
    """
    try:
        lines = (line.split() for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        known = {name: int(number) * 1024 for name, number, *_ in lines}
        free = known["MemAvailable:"] + known["SwapFree:"]
    except (OSError, KeyError, ValueError):
        free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(free, *(_free_in_group(most, used) for most, used in GROUPS))


def _free_in_group(most: Path, used: Path) -> int:
    """Of a container; cached files are in use, and give way to what is wanted."""
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
