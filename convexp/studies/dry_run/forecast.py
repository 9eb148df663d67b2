"""What the runs that a sweep would do would cost, by the finished runs below its folder and that of the outputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convexp.config import parse_config
from convexp.records import RunStatus
from convexp.records.index import records_below
from convexp.records.neighbours import FoundRun, runs_below
from convexp.studies.composer import Composer
from convexp.studies.dry_run.amount import Amount, side_by_side, total
from convexp.studies.dry_run.shapes import SAME, Estimate, Shapes
from convexp.studies.planning import Job

TO_RUN = (RunStatus.NEW, RunStatus.INTERRUPTED, RunStatus.PRUNED, RunStatus.FAILED)  # states of what a start would run


@dataclass(frozen=True)
class Forecast:
    """What runs would cost.

    Attributes:
        estimates: What is known of each run that would be done, by its folder; None for one of which nothing is known.
        spent: Seconds that were spent on unfinished runs already, by folder.
        places: How many would be done at the same time; None if that is not known.
    """

    estimates: dict[str, Estimate | None]
    spent: dict[str, float]
    places: int | None

    @property
    def known(self) -> list[Estimate]:
        """The estimates of those runs of which something is known."""
        return [estimate for estimate in self.estimates.values() if estimate]

    @property
    def seconds(self) -> Amount | None:
        """How long those of which something is known would take; None if there are none."""
        left = [e.seconds.less(self.spent.get(folder, 0.0)) for folder, e in self.estimates.items() if e]
        return side_by_side(left, self.places or 1) if left else None

    @property
    def size(self) -> Amount | None:
        """How many bytes their folders would have; None if there are none."""
        return total(estimate.size for estimate in self.known) if self.known else None

    @property
    def sources(self) -> dict[str, int]:
        """How many finished runs the estimates are made from, by how these resemble the planned ones."""
        runs: dict[str, set[Path]] = {}
        for estimate in sorted(self.known, key=lambda estimate: estimate.source != SAME):
            runs.setdefault(estimate.source, set()).update(estimate.runs)
        return {source: len(found) for source, found in runs.items()}


def forecast(jobs: Sequence[Job], composer: Composer, root: Path, outputs: Path, places: int | None) -> Forecast:
    """Estimate those of the jobs that would be run.

    Args:
        jobs: The jobs.
        composer: Composes their configurations, within ``hydra_values``.
        root: The folder of the sweep.
        outputs: The folder of all results.
        places: How many would be done at the same time; None if that is not known.
    """
    wanted = [job for job in jobs if job.state in TO_RUN and job.identity is not None]
    if not wanted:
        return Forecast({}, {}, places)
    numbers: dict[tuple[str, ...], int] = {}  # by what is the same for all seeds
    configs: list[tuple[dict[str, Any], int]] = []
    for job in wanted:
        if _seedless(job) not in numbers:
            numbers[_seedless(job)] = len(configs)
            values = composer.values(job.number, job.overrides)
            configs.append((parse_config(values).model_dump(by_alias=True), values["seed"]))
    known = Shapes(runs_around(root, outputs), configs)
    estimates = {job.folder: known.estimate(numbers[_seedless(job)]) for job in wanted}
    return Forecast(estimates, _spent(wanted, root), places)


def _seedless(job: Job) -> tuple[str, ...]:
    return tuple(text for text in job.overrides if not text.startswith("seed="))


def runs_around(root: Path, outputs: Path) -> list[FoundRun]:
    """The runs below the folder of all results, and below that of the sweep; or beside it if it lies elsewhere."""
    where = [outputs] if root.is_relative_to(outputs) else [outputs, root]
    return [run for folder in where for run in runs_below(folder, update=False)]


def _spent(jobs: Sequence[Job], root: Path) -> dict[str, float]:
    if not any(job.state is RunStatus.INTERRUPTED for job in jobs):
        return {}
    resumed = {job.folder for job in jobs if job.state is RunStatus.INTERRUPTED}
    found = records_below(root, with_maps=False, update=False)
    return {record.path: record.seconds.total or 0.0 for record in found if record.path in resumed}
