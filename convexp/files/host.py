"""Which machine this is, and which of its processes live: what a lease names, and what tells whether it is alive."""

import hashlib
import os
import platform
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

VARIABLE = "CONVEXP_HOST"
BOOT = Path("/proc/sys/kernel/random/boot_id")
PROCESSES = Path("/proc/self/ns/pid")  # a container has processes of its own
ENDED = ("Z", "X")  # states of processes that are dead, and not yet waited for by their parents


def host() -> str:
    """Return a name that only processes share which see each other's process numbers: ``node7/<boot>/<process namespace>``.

    ``CONVEXP_HOST`` replaces it, for containers in which none of this can be told; it has to differ from one to the other.
    """
    return os.environ.get(VARIABLE) or _host()


@cache
def _host() -> str:
    boot = processes = ""
    with suppress(OSError):
        boot = BOOT.read_text(encoding="ascii").strip()
    with suppress(OSError):
        processes = str(PROCESSES.stat().st_ino)
    return "/".join(part for part in (platform.node() or "unknown", boot, processes) if part)


def display_host(name: str) -> str:
    """Return the part of ``host()`` that a person knows the machine by."""
    return name.partition("/")[0]


def host_tag() -> str:
    """Return six hex digits that stand for this host in the names of files."""
    return hashlib.sha256(host().encode()).hexdigest()[:6]


def process_started(process: int) -> str | None:
    """Return when a process of this host was started, in a form that no other process with its number shares.

    None if there is no such process, or it is dead.
    """
    if not PROCESSES.exists():
        return _started_by_ps(process)
    try:  # after the name, which may contain anything: the state is the first field, the start the twentieth
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ENDED else fields[19]


def _started_by_ps(process: int) -> str | None:
    """The same on systems without ``/proc``, such as macOS."""
    with suppress(OSError):
        asked = ["ps", "-o", "stat=,lstart=", "-p", str(process)]
        state, _, started = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip().partition(" ")
        return None if not state or state.startswith(ENDED) else started.strip()
    return None
