"""What jobs of Slurm write, printed as it comes."""

import re
from collections.abc import Iterable
from pathlib import Path

from convexp.engines.slurm.submit import FOLDER
from convexp.terminal import console

NOISE = re.compile(rb"^(srun|slurmstepd|slurmd)(-\S+)?:")  # how Slurm itself ends a job is read from its state


class JobLogs:
    """Prints the whole lines that jobs add to their logs.

    Args:
        root: Folder of the sweep.
        jobs: Jobs that were submitted before; what they have written so far is not printed.
    """

    def __init__(self, root: Path, jobs: Iterable[str]) -> None:
        self.folder = root / FOLDER
        self._read: dict[Path, int] = {}  # bytes of each file
        self._files: dict[str, tuple[Path, Path]] = {}
        for job in jobs:
            self._read |= {file: file.stat().st_size for file in self.files(job) if file.is_file()}

    def files(self, job: str) -> tuple[Path, ...]:
        """The files that hold what a job wrote to stdout and stderr; none if it has not begun."""
        if job not in self._files:
            found = next(self.folder.glob(f"*/{job}_0_log.out"), None)
            if found is None:
                return ()
            self._files[job] = found, found.with_suffix(".err")
        return self._files[job]

    def relay(self, job: str) -> None:
        """Print what a job has written since."""
        if files := self.files(job):
            console.relay(*map(self._new_lines, files))

    def _new_lines(self, file: Path) -> str:
        if not file.is_file():
            return ""
        with file.open("rb") as opened:
            opened.seek(self._read.get(file, 0))
            whole, end, _ = opened.read().rpartition(b"\n")
        self._read[file] = self._read.get(file, 0) + len(whole) + len(end)
        lines = [line for line in whole.split(b"\n") if not NOISE.match(line)] if end else []
        return "".join(f"{line.decode(errors='replace')}\n" for line in lines)
