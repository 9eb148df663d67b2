"""Ensembles by the number of their members: means over independent ensembles, and what claims read of them."""

from collections.abc import Iterable

from convexp.records.ensembles import BEYOND, ERROR_BEYOND, ERROR_IN_RANGE, IN_RANGE, EnsembleRecord, Measured
from convexp.records.numbers import is_moderate
from convexp.reporting.formatting import format_mean
from convexp.reporting.metrics import average_of
from convexp.reporting.statistics import Mean

SHOWN = {  # in the table, by column title
    "test": "test/acc",
    "test loss": "test/loss",
    "shifted as in training": IN_RANGE,
    "shifted further": BEYOND,
    "consistency": "probe/consistency/all",
    "by chance": "probe/consistency/control",
    "permuted": "probe/consistency/permuted",
    "permuted, by chance": "probe/consistency/permuted_control",
    "error, shifted as in training": ERROR_IN_RANGE,
    "error, shifted further": ERROR_BEYOND,
}


def by_members(record: EnsembleRecord) -> dict[int, list[Measured]]:
    """Return the ensembles by their number of members, ascending."""
    sizes = sorted({len(each.seeds) for each in record.ensembles})
    return {size: [each for each in record.ensembles if len(each.seeds) == size] for size in sizes}


def mean_metric(ensembles: Iterable[Measured], metric: str) -> Mean | None:
    """Return the mean of a metric over independent ensembles, with its 95 % interval; None if none has a moderate one."""
    values = [value for each in ensembles if is_moderate(value := each.metrics.get(metric))]
    return average_of(metric)(values) if values else None


def member_rows(record: EnsembleRecord) -> list[list[str]]:
    """Return the rows of a table, the first with the titles: members, their n ensembles, and the mean of each metric."""
    sizes = by_members(record)
    shown = {title: metric for title, metric in SHOWN.items() if any(metric in each.metrics for each in record.ensembles)}
    body = [
        [str(size), str(len(found)), *(format_mean(mean_metric(found, metric), metric) for metric in shown.values())]
        for size, found in sizes.items()
    ]
    return [["members", "n", *shown], *body]


def sizes_up_to(runs: int) -> list[int]:
    """Return the numbers of members that are measured if none are given: 1, 2, 5, 10, 20, 50, ... and all."""
    series = [step * 10**power for power in range(len(str(runs))) for step in (1, 2, 5)]
    return sorted({*(size for size in series if size <= runs), runs})
