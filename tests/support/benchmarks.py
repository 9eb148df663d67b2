"""Runs a benchmark of ``scripts/``."""

import subprocess
import sys

from conftest import ROOT


def bench(name: str, *arguments: str) -> str:
    """What a round of ``scripts/NAME.py`` prints."""
    command = [sys.executable, ROOT / "scripts" / f"{name}.py", "--rounds", "1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
