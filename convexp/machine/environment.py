"""Where and with what a run was made."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("convexp", "torch", "torchvision", "pytorch-lightning", "hydra-core", "torchmetrics", "numpy")


@cache
def versions() -> dict[str, str]:
    """Version of Python and of the packages that change results."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@cache
def git() -> dict[str, Any]:
    """Commit of the checkout that convexp runs from and whether it has uncommitted changes; nulls for an installed wheel."""
    if _git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return {"commit": None, "dirty": None}  # in no repository, or in somebody else's
    return {"commit": _git("rev-parse", "HEAD"), "dirty": bool(_git("status", "--porcelain"))}


@cache
def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def hardware(accelerator: str, threads: int, precision: str) -> dict[str, Any]:
    """What computed it; ``accelerator``, ``threads`` and ``precision`` as the run had them, whatever was asked for."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": threads,
        "accelerator": accelerator,
        "precision": precision,
        "system": platform.platform(),
    }
