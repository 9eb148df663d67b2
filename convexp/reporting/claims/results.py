"""What is left of finished runs to decide a claim: few numbers of each, and nothing of the machine's folders."""

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct, field

from convexp.records import RunRecord
from convexp.records.plan import single_settings
from convexp.reporting.groups import Group


class Result(Struct, frozen=True, kw_only=True):
    """A finished run.

    Attributes:
        settings: The settings that the study varied, without the seed.
        seed: Its seed.
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


def _result(group: Group, run: RunRecord, metrics: Collection[str] | None) -> Result:
    threads = (run.hardware.threads if run.hardware else None) or 1
    return Result(
        settings=single_settings(group.point),
        seed=run.seed or 0,
        metrics={name: value for name, value in run.metrics.items() if metrics is None or name in metrics},
        minutes=(run.seconds.total or 0.0) * threads / 60,
        images=f"{run.data.checksum} {run.data.split}",
    )
