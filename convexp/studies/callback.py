"""What happens before the first and after the last run of a sweep, by whichever sweeper."""

import shlex
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from convexp.errors import ConvexpError
from convexp.files.locks import lock
from convexp.records.plan import read_plan
from convexp.reporting.render.output import PAGE, show, update
from convexp.reporting.report import Report, report
from convexp.studies.markers import clear, refusals
from convexp.terminal import console

LOCK = ".report.lock"


class SweepSummary(Callback):
    """Prints the report, writes it, says where everything lies.

    The exit code is 0 if every run that was planned in the folder is finished, or in the hands of another process that shares
    the work; 2 if wrong settings alone are the reason that one is not, else 1.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before the first run."""
        root = Path(config.hydra.sweep.dir)
        with suppress(OSError):  # a folder that cannot be written to is for the sweeper to complain of
            if read_plan(root) is None:  # by another sweeper; ours does so itself, once it knows that it starts
                clear(root)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra once all runs have been started and ended."""
        try:
            with _after_the_others(Path(config.hydra.sweep.dir)) as root:
                code = conclude(root)
        except Exception as error:  # Hydra would only warn, and end with 0
            said = error if isinstance(error, ConvexpError) else f"the report failed ({type(error).__name__}: {error})"
            console.complain("convexp-train", str(said))
            code = 1
        if code:
            sys.exit(code)


@contextmanager
def _after_the_others(root: Path) -> Generator[Path]:
    """Sweeps that share a folder make its report one after another: what the last one writes has seen all that is finished."""
    with ExitStack() as stack:
        with suppress(OSError):  # not ours to write to, or another one takes too long: the runs are safe
            stack.enter_context(lock(root / LOCK).acquire(timeout=120))
        yield root


def conclude(root: Path) -> int:
    """Write and show the report of the sweep in ``root``; returns the exit code."""
    found = report(root)
    plan = found.plan
    written = _write(found, root)
    show(found)
    if written:
        page = console.shorten(root / PAGE)
        console.out.print(f"report: {page} (the tables beside it: summary.md, .csv, .tex)", markup=False)
    console.out.print(f"look at the curves: {console.tensorboard(str(root))}", markup=False)
    planned = {run.folder for run in plan.runs} if plan else {run.path for run in found.unfinished}
    lacking = [run for run in found.unfinished if run.path in planned and run.state != "running"]
    mendable = {str(run["path"]) for run in found.runs if run.get("mendable")}
    mendable |= {run.path for run in lacking if run.state == "wrong settings"}
    if lacking:
        return 2 if written and all(run.path in mendable for run in lacking) else 1
    refused = [] if plan else refusals(root)  # with a plan, states of folders say it all
    for run, reason in refused:
        console.out.print(f"{run}: not run, {reason}", markup=False)
    return 0 if written and not refused else 1


def _write(found: Report, root: Path) -> bool:
    """Whether the report could be written."""
    try:
        update(found, root)
    except OSError as error:  # the runs are safe
        later = f"convexp-report {shlex.quote(str(root))}"
        console.complain("convexp-train", f"the report cannot be written ({error}); later: {later}")
        return False
    return True
