"""What happens before the first and after the last run of a sweep, by whichever sweeper."""

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from convexp import console
from convexp.errors import ConvexpError
from convexp.reporting.output import PAGE, show, write
from convexp.reporting.report import Report, Unfinished, report
from convexp.runs import read_result
from convexp.runs.plan import FILE as PLAN
from convexp.runs.result import FILE as RESULT
from convexp.studies.notes import clear, refusals


class SweepSummary(Callback):
    """Prints the report, writes it, says where everything lies.

    The exit code is 0 if every run that was planned in the folder is finished, 2 if wrong settings alone are the reason
    that one is not, else 1.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before the first run."""
        clear(Path(config.hydra.sweep.dir))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra once all runs have been started and ended."""
        root = Path(config.hydra.sweep.dir)
        refused = refusals(root)
        try:
            found = report(root)
        except ConvexpError as error:  # every run was refused
            console.complain("convexp-train", str(error))
            sys.exit(1)
        show(found)
        self._write(found, root)
        for run, reason in refused:
            console.out.print(f"{run}: not run, {reason}", markup=False)
        console.out.print(f"look at the curves: {console.tensorboard(str(root))}", markup=False)
        if found.unfinished or refused:
            sys.exit(2 if all(_mendable(root, run) for run in found.unfinished) and not refused else 1)

    def _write(self, found: Report, root: Path) -> None:
        page = root / PAGE
        try:
            if not _is_current(page, found):
                write(found, root)
        except OSError as error:  # the runs are safe; convexp-report writes it once there is room
            console.complain("convexp-train", f"the report cannot be written ({error}); later: convexp-report {root}")
            sys.exit(1)
        console.out.print(f"report: {console.shorten(page)} (the tables beside it: summary.md, .csv, .tex)", markup=False)


def _is_current(page: Path, found: Report) -> bool:
    """Whether nothing has changed since the page was written, the last of a report's files."""
    sources = [page.parent / PLAN, *(page.parent / str(run["path"]) / RESULT for run in found.runs)]
    return page.is_file() and all(file.is_file() and file.stat().st_mtime < page.stat().st_mtime for file in sources)


def _mendable(root: Path, run: Unfinished) -> bool:
    """Whether wrong settings are the reason."""
    return bool((read_result(root / run.path) or {}).get("mendable"))
