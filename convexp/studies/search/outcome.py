"""What the runs of a trial came to. Their folders alone decide, not what the launcher returned."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from convexp.records import RunStatus, read_record
from convexp.records.folder import is_busy
from convexp.records.settings import last_line
from convexp.studies.planning import Job


@dataclass(frozen=True)
class Outcome:
    """The outcome of a trial.

    Attributes:
        values: The metric of each finished run, by seed.
        reason: Why the trial failed, in one line; None if it did not.
        waits: Whether a run has neither finished nor failed.
    """

    values: dict[int, float] = field(default_factory=dict[int, float])
    reason: str | None = None
    waits: bool = False

    @property
    def mean(self) -> float:
        """The value of the trial: the mean over its seeds."""
        return fmean(self.values.values())


def outcome_of(root: Path, jobs: Sequence[Job], seeds: Sequence[int], metric: str) -> Outcome:
    """Read what the runs of a trial came to.

    Args:
        root: Folder of the sweep.
        jobs: The runs of the trial, one for each seed.
        seeds: Their seeds.
        metric: The metric that is optimised.
    """
    values: dict[int, float] = {}
    reasons: list[str] = []
    waits = False
    for job, seed in zip(jobs, seeds, strict=True):
        found = value_or_reason(root / job.folder, job, metric)
        if isinstance(found, float):
            values[seed] = found
        elif found is None:
            waits = True
        else:
            reasons.append(f"seed {seed}: {found}")
    return Outcome(values, reasons[0] if reasons else None, waits)


def value_or_reason(folder: Path, job: Job, metric: str) -> float | str | None:
    """Return the metric of a finished run, why a run failed, or None if it has neither finished nor failed."""
    if job.error is not None:
        return str(job.error)
    record = read_record(folder)
    if record is None or is_busy(folder):
        return None
    if record.state is RunStatus.FAILED:
        return last_line(record.error) or "no reason recorded"
    if record.state is not RunStatus.FINISHED or record.identity != job.identity:
        return None
    value = record.metrics.get(metric)
    return f"has no metric {metric}; there are {', '.join(record.metrics)}" if value is None else float(value)
