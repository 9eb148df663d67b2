"""What the runs of a trial came to. Their folders alone decide, not what the launcher returned."""

import errno
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from convexp.records import RunRecord, RunStatus, read_record
from convexp.records.settings import last_line
from convexp.studies.planning import Job

NO_SPACE = re.compile(rf"\[Errno ({errno.ENOSPC}|{errno.EDQUOT})\]")  # of an OSError in a record


@dataclass(frozen=True)
class Outcome:
    """The outcome of a trial.

    Attributes:
        values: The metric of each finished run, by seed.
        reason: Why the trial failed or was pruned, in one line; None if it did neither.
        pruned: Whether it was pruned.
        waits: Whether a run has neither finished nor failed.
        others: The metrics that its finished runs have, if one of them lacks the metric that is optimised.
    """

    values: dict[int, float] = field(default_factory=dict[int, float])
    reason: str | None = None
    waits: bool = False
    pruned: bool = False
    others: tuple[str, ...] = ()

    @property
    def mean(self) -> float:
        """The value of the trial: the mean over its seeds."""
        return fmean(self.values.values())


@dataclass(frozen=True)
class RunOutcome:
    """The outcome of a run that has ended.

    Attributes:
        value: The metric; None if the run failed or was pruned.
        reason: Why it failed or was pruned, in one line.
        pruned: Whether it was pruned.
        others: The metrics that it has, if it lacks the one that is optimised.
    """

    value: float | None = None
    reason: str | None = None
    pruned: bool = False
    others: tuple[str, ...] = ()


def outcome_of(root: Path, jobs: Sequence[Job], seeds: Sequence[int], metric: str) -> Outcome:
    """Read what the runs of a trial came to.

    Args:
        root: Folder of the sweep.
        jobs: The runs of the trial, one for each seed.
        seeds: Their seeds.
        metric: The metric that is optimised.
    """
    runs = {seed: run_outcome(root / job.folder, job, metric) for job, seed in zip(jobs, seeds, strict=True)}
    ended = {seed: run for seed, run in runs.items() if run is not None}
    failed = [f"seed {seed}: {run.reason}" for seed, run in ended.items() if run.reason and not run.pruned]
    pruned = [run.reason for run in ended.values() if run.pruned]
    return Outcome(
        values={seed: run.value for seed, run in ended.items() if run.value is not None},
        reason=next(iter([*failed, *pruned]), None),
        waits=len(ended) < len(runs),
        pruned=bool(pruned) and not failed,
        others=next((run.others for run in ended.values() if run.others), ()),
    )


def run_outcome(folder: Path, job: Job, metric: str) -> RunOutcome | None:
    """Return what a run came to; None if it has not ended, or failed for want of space on a disk, not for its settings."""
    if job.error is not None:
        return RunOutcome(reason=str(job.error))
    record = read_record(folder)
    if record is None:
        return None
    if record.state in (RunStatus.FAILED, RunStatus.PRUNED) and not lacked_space(record):
        reason = last_line(record.error) or "no reason recorded"
        return RunOutcome(reason=reason, pruned=record.state is RunStatus.PRUNED)
    if record.state is not RunStatus.FINISHED or record.identity != job.identity:
        return None
    value = record.metrics.get(metric)
    if value is None:
        others = tuple(record.metrics)
        return RunOutcome(reason=f"has no metric {metric}; there are {', '.join(others)}", others=others)
    return RunOutcome(float(value))


def lacked_space(record: RunRecord | None) -> bool:
    """Whether a run failed because a disk was full: it is tried again, as its settings are not to blame."""
    return record is not None and record.state is RunStatus.FAILED and bool(NO_SPACE.search(last_line(record.error) or ""))
