"""What became of the runs of a job that has ended, as their folders say it."""

from collections.abc import Sequence
from pathlib import Path

from convexp.engines.slurm.wait import EndedJob
from convexp.records import RunRecord, RunStatus, read_record
from convexp.records.markers import is_stopped, mark_refused, mark_stopped, refused_runs
from convexp.records.statuses import is_busy
from convexp.terminal import console

DONE = (RunStatus.FINISHED, RunStatus.FAILED)  # the run has recorded it itself


def record_outcome(root: Path, run: str, ended: EndedJob, stops: bool, logs: Sequence[Path]) -> float | None:
    """Report and record a run that its job has not done.

    Args:
        root: Folder of the sweep.
        run: Name of the run's folder in it.
        ended: The job that was to do the run.
        stops: Whether the sweep does no further run then (``on_failure=stop``).
        logs: The files that hold what the job wrote.

    Returns:
        The best monitored value of a run that is finished; else None.
    """
    record = read_record(root / run)
    if record is not None and record.state in DONE:
        return _monitored(record)
    if not is_stopped(root) and not is_busy(root / run) and run not in dict(refused_runs(root)):
        reason = f"its Slurm job {ended.job} has ended ({ended.state}) before the run did"
        if logs:
            reason += f"; its log: {console.display_path(logs[-1])}"
        mark_refused(root, run, reason)
        with console.above_progress_bar():
            console.print_error("convexp-train", f"{run}: {reason}")
        if stops:
            mark_stopped(root)
    return None


def _monitored(record: RunRecord) -> float | None:
    return record.metrics.get(str((record.config or {}).get("monitor")))
