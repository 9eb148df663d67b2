"""Hydra's callback of a sweep, for any sweeper: the dashboard, the report and the exit code."""

import shlex
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from convexp.board.watcher import Watcher
from convexp.engines.waiting import waiting_runs
from convexp.errors import ConvexpError
from convexp.files.locks import locked
from convexp.records import RunStatus
from convexp.records.index import run_folders
from convexp.records.markers import clear_markers, refused_runs
from convexp.records.plan import FILE
from convexp.reporting.render.files import PAGE, update_report
from convexp.reporting.render.terminal import print_report
from convexp.reporting.report import Report, build_report
from convexp.terminal import console
from convexp.terminal.commands import dashboard_command
from convexp.terminal.words import plural

LOCK = ".report.lock"
MAX_NAMED = 5  # folders


class SweepSummary(Callback):
    """Keeps the dashboard up to date during a sweep, writes and prints its report, and ends with its exit code.

    The exit code is 0 if every run planned in the folder is finished, was pruned by a search, is running in another process
    that shares the work, or is held by an engine that works on when the sweep has ended; 2 if all that are not have wrong
    settings, else 1.
    """

    watcher: Watcher | None = None  # in the process that started the sweep

    def __getstate__(self) -> dict[str, Any]:
        """Hydra sends its callbacks to the processes that do the runs, where there is nothing to watch."""
        return {}

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before the first run."""
        root = Path(config.hydra.sweep.dir)
        if config.get("dry_run"):
            return
        with suppress(OSError):  # the sweeper reports a folder that cannot be written to
            if not (root / FILE).exists():
                clear_markers(root)  # of another sweeper; ours removes them itself, once nothing keeps it from starting
        self.watcher = Watcher(root)
        self.watcher.start()

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra after the last run."""
        if self.watcher is not None:
            self.watcher.stop()
        if config.get("dry_run"):
            return
        try:
            code = conclude(Path(config.hydra.sweep.dir))
        except Exception as error:  # Hydra would only warn, and end with 0
            known = isinstance(error, ConvexpError)
            console.print_error(
                "convexp-train", str(error) if known else f"the report failed ({type(error).__name__}: {error})"
            )
            code = 1
        if code:
            sys.exit(code)


@contextmanager
def _after_other_reports(root: Path) -> Generator[None]:
    """Wait for other sweeps on this folder to write their reports, so that the last report includes all finished runs."""
    with ExitStack() as stack:
        with suppress(OSError):  # the folder is read-only, or another report takes too long: no run is lost
            stack.enter_context(locked(root / LOCK, timeout=120))
        yield


def conclude(root: Path) -> int:
    """Write and print the report of the sweep in ``root``; returns the exit code."""
    with _after_other_reports(root):
        return _report(root)


def _report(root: Path) -> int:
    held = waiting_runs(root)
    if (root / FILE).is_file() and next(run_folders(root), None) is None:
        if held:
            _tell_held(held)
            return 0
        console.out.print(f"no run was started in {console.display_path(root)}, so there is no report", markup=False)
        return 1
    found = build_report(root)
    plan = found.plan
    written = _write(found, root)
    print_report(found)
    if written:
        page = console.display_path(root / PAGE)
        console.out.print(f"report: {page} (tables in the same folder: summary.md, .csv, .tex)", markup=False)
    console.out.print(f"dashboard: {dashboard_command(str(root))}", markup=False)
    planned = {run.folder for run in plan.runs} if plan else {run.path for run in found.unfinished}
    others = (RunStatus.RUNNING, RunStatus.PRUNED)  # another process does them, or a search does without them
    lacking = [run for run in found.unfinished if run.path in planned and run.state not in others]
    if elsewhere := {run.path: held[run.path] for run in lacking if run.path in held}:
        _tell_held(elsewhere)
        lacking = [run for run in lacking if run.path not in elsewhere]
    wrong = {run.path for run in found.runs if run.config_error}
    wrong |= {run.path for run in lacking if run.state is RunStatus.WRONG}
    if lacking:
        return 2 if written and all(run.path in wrong for run in lacking) else 1
    refused = [] if plan else refused_runs(root)  # with a plan, the states of the folders say it all
    for run, reason in refused:
        console.out.print(f"{run}: not run, {reason}", markup=False)
    return 0 if written and not refused else 1


def _tell_held(held: Mapping[str, str]) -> None:
    """Say which runs an engine holds."""
    few = [f"{run}: {where}" for run, where in list(held.items())[:MAX_NAMED]] + ["..."] * (len(held) > MAX_NAMED)
    console.out.print(f"{plural(len(held), 'run')} still to come ({', '.join(few)})", markup=False)


def _write(found: Report, root: Path) -> bool:
    """Write the report; returns whether that succeeded."""
    try:
        update_report(found, root)
    except OSError as error:  # no run is lost
        later = f"convexp-report {shlex.quote(str(root))}"
        console.print_error("convexp-train", f"the report cannot be written ({error}); later: {later}")
        return False
    from convexp.board.update import update_dashboard  # late, as it imports matplotlib and TensorBoard

    with suppress(OSError):  # TensorBoard then shows the runs without their means, and convexp-dashboard says why
        update_dashboard(found, root)
    return True
