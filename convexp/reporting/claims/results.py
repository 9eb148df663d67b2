"""What is left of finished runs to decide a claim: few numbers of each, and nothing of the machine's folders."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from msgspec import Struct, field

from convexp.config.schema.claim import MEMBERS
from convexp.records import RunRecord
from convexp.records.ensembles import EnsembleRecord, Measured
from convexp.records.numbers import is_moderate
from convexp.records.plan import single_settings
from convexp.reporting.groups import Group


class Result(Struct, frozen=True, kw_only=True):
    """A finished run, or an ensemble of runs.

    Attributes:
        settings: The settings that the study varied, without the seed; of an ensemble also ``members`` and ``mean_of``.
        seed: Its seed; of an ensemble that of its first member.
        metrics: Its metrics by name.
        minutes: What it took of one core: wall time times threads.
        images: Checksums of its data and of their split.
    """

    settings: dict[str, Any]
    seed: int
    metrics: dict[str, float]
    minutes: float
    images: str


class StudyResults(Struct, frozen=True, kw_only=True):
    """The finished runs of a study, as a small file keeps them.

    Attributes:
        study: Name of the study.
        versions: Versions that runs had, by name of the package: one, or several.
        commits: Commits of the checkouts that they ran from.
        processors: What they ran on.
        runs: The runs.
    """

    study: str
    versions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    commits: list[str] = field(default_factory=list[str])
    processors: list[str] = field(default_factory=list[str])
    runs: list[Result] = field(default_factory=list[Result])


def results_of(groups: Sequence[Group], metrics: Collection[str] | None = None) -> list[Result]:
    """Return the results of the groups of a study.

    Args:
        groups: The groups of its report.
        metrics: The metrics that are kept; None for all.
    """
    return [_result(group, run, metrics) for group in groups for run in group.runs]


def results_of_ensembles(
    records: Iterable[EnsembleRecord], groups: Sequence[Group], metrics: Collection[str] | None = None
) -> list[Result]:
    """Return the results of ensembles of the runs of a study, those of other runs left out.

    Each has the settings of its runs and its number of ``members``. Its seed is that of its first member, so that ensembles of
    different sizes are pairs if they begin with the same run, and pairs of two seeds are independent.

    Args:
        records: The ensembles.
        groups: The groups of the study's report.
        metrics: The metrics that are kept; None for all.
    """
    group_of = {run.identity: group for group in groups for run in group.runs}
    found: list[Result] = []
    for record in records:
        of = {id(group): group for group in (group_of.get(member.identity) for member in record.runs)}
        group = next(iter(of.values())) if len(of) == 1 else None
        if group is not None:
            point = {**single_settings(group.point), "mean_of": record.mean_of}
            found += [_result_of_ensemble(point, each, record, metrics) for each in record.ensembles if each.seeds]
    return found


def _result_of_ensemble(
    point: dict[str, Any], measured: Measured, record: EnsembleRecord, metrics: Collection[str] | None
) -> Result:
    return Result(
        settings={**point, MEMBERS: len(measured.seeds)},
        seed=measured.seeds[0],
        metrics={name: value for name, value in _kept(measured.metrics, metrics).items() if is_moderate(value)},
        minutes=measured.seconds * record.threads / 60,
        images=record.images,
    )


def _kept(found: dict[str, float], metrics: Collection[str] | None) -> dict[str, float]:
    return {name: value for name, value in found.items() if metrics is None or name in metrics}


def _result(group: Group, run: RunRecord, metrics: Collection[str] | None) -> Result:
    threads = (run.hardware.threads if run.hardware else None) or 1
    return Result(
        settings=single_settings(group.point),
        seed=run.seed or 0,
        metrics=_kept(run.metrics, metrics),
        minutes=(run.seconds.total or 0.0) * threads / 60,
        images=run.data.images,
    )
