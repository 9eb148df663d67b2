"""convexp's own commands, as processes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LONGEST = 240  # seconds of a command
FIXED_TILES = "trainer.deterministic=warn"
"""Without Triton's choice of tiles, which takes longer than all the rest of a short run."""


class Command:
    """``convexp-train`` with its arguments, started at once, its output kept in a file.

    Args:
        arguments: Its arguments.
        log: File for what it prints.
        environment: Variables beside those of this process.
    """

    def __init__(self, arguments: Sequence[str], log: Path, environment: Mapping[str, str] = {}) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        paths = (str(ROOT), str(ROOT / "scripts"), str(ROOT / "tests" / "support"), os.environ.get("PYTHONPATH", ""))
        settings = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "CONVEXP_TRUST": "gpu_checks,own_callbacks"}
        with log.open("a") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "convexp.cli.train", *arguments],
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **settings, **environment},
            )

    def finish(self) -> int:
        """Wait, and return the exit code; a command that takes too long is killed."""
        try:
            return self.process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def succeed(self) -> None:
        """Wait, and raise an error with the last lines that were printed if it failed."""
        if code := self.finish():
            raise RuntimeError(f"convexp-train ended with {code}: {self.printed()}")

    def printed(self) -> str:
        """The last lines that it printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def wait_for(self, file: Path) -> None:
        """Wait until the process has made a file; an error if it ends before."""
        begun = time.monotonic()
        while not file.exists():
            if self.process.poll() is not None or time.monotonic() - begun > LONGEST:
                self.process.kill()
                raise RuntimeError(f"convexp-train ended with {self.process.poll()} too early: {self.printed()}")
            time.sleep(0.02)


def record(folder: Path) -> dict[str, Any]:
    """What ``result.json`` of a run says."""
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def run_folders(sweep: Path) -> list[Path]:
    """The folders of the runs of a sweep, in the order of their names."""
    return sorted(file.parent for file in sweep.glob("*/result.json"))
