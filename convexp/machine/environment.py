"""The versions of what is installed, the state of the code and the hardware."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from msgspec import Struct

PACKAGES = ("convexp", "torch", "torchvision", "pytorch-lightning", "hydra-core", "torchmetrics", "numpy")


class GitState(Struct, frozen=True):
    """The state of a git checkout.

    Attributes:
        commit: Hash of the commit; None for an installed wheel.
        dirty: Whether there were uncommitted changes; None for an installed wheel.
    """

    commit: str | None = None
    dirty: bool | None = None


class Hardware(Struct, frozen=True, kw_only=True):
    """What a run was computed on; None for what an older version did not record.

    Attributes:
        cpu: Name of the processor.
        cores: Number of logical processors.
        threads: Number of threads that torch used.
        accelerator: Name of Lightning's accelerator class, such as ``CPUAccelerator``.
        precision: Precision that the training had, such as ``32-true``.
        system: Operating system and its version.
        processes: Number of processes that trained together, each on a device of its own; None also if it was one.
        replicas: Number of runs of a sweep whose networks were trained at once in this process; None if each was trained alone.
        native: Whether kernels in C could be used for locally connected layers, which changes the last bits of results; None if
            the network has none.
    """

    cpu: str | None = None
    cores: int | None = None
    threads: int | None = None
    accelerator: str | None = None
    precision: str | None = None
    system: str | None = None
    processes: int | None = None
    replicas: int | None = None
    native: bool | None = None


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def versions() -> dict[str, str]:
    """Return the version of Python and of the packages that can change results, by name."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _git(*arguments: str) -> str | None:
    """Output of a git command in the folder of this file; None if it fails."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@cache
def git() -> GitState:
    """Return the state of the checkout that convexp runs from; nothing is known of an installed wheel."""
    if _git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return GitState()  # in no repository, or in one that convexp is no part of
    return GitState(_git("rev-parse", "HEAD"), bool(_git("status", "--porcelain")))


@cache
def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def hardware(
    accelerator: str, threads: int, precision: str, processes: int | None = None, native: bool | None = None
) -> Hardware:
    """Return what this machine is, with the accelerator, threads, precision, processes and kernels that a run really had."""
    return Hardware(
        cpu=_cpu(),
        cores=os.cpu_count(),
        threads=threads,
        accelerator=accelerator,
        precision=precision,
        system=platform.platform(),
        processes=processes,
        native=native,
    )
