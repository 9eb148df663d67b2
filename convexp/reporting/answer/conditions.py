"""What was measured on which images: the metrics of an answer, and the words that stand before their values."""

from collections.abc import Sequence
from dataclasses import dataclass

from convexp.records.numbers import is_moderate
from convexp.records.settings import lookup
from convexp.reporting.groups import Group
from convexp.reporting.metrics import metric_title, other_test_metrics
from convexp.terminal.words import plural

TEST, SHIFTED = "test/acc", "probe/shift_map/mean"
COUNTED = ("cost/parameters", "cost/flops")  # metrics of runs that train nothing
MAX_OTHERS = 2  # metrics of another task in a sentence


@dataclass(frozen=True)
class Condition:
    """A metric of the answer.

    Attributes:
        metric: Name of the metric.
        where: The images that it was measured on: ``on the 360 test images``; empty for costs, which need none.
        subject: The metric in words, such as ``test/loss``; None for accuracies, whose values speak for themselves.
    """

    metric: str
    where: str
    subject: str | None = None


def conditions(groups: Sequence[Group]) -> list[Condition]:
    """Return the metrics that the answer is about: accuracy as it is and under shifts, another task's test, or costs."""
    images = f"on {test_images(groups)}"
    present = dict.fromkeys(name for group in groups for run in group.runs for name in run.metrics)
    accuracies = {TEST: f"{images} as they are" if SHIFTED in present else images, SHIFTED: under_shifts(groups)}
    if TEST in present:
        return [Condition(metric, where) for metric, where in accuracies.items() if metric in present]
    others = list(other_test_metrics(present).values())[:MAX_OTHERS] or [m for m in (SHIFTED, *COUNTED) if m in present][:1]
    return [Condition(metric, "" if metric in COUNTED else images, metric_title(metric)) for metric in others]


def test_images(groups: Sequence[Group]) -> str:
    """Return ``the 360 test images``, without the number where runs differ in it or have not recorded it."""
    count = image_count(groups)
    return f"the {plural(count, 'test image')}" if count else "the test images"


def image_count(groups: Sequence[Group]) -> int | None:
    """Return the number of test images; None where runs differ in it or have not recorded it."""
    counts = {run.data.test for group in groups for run in group.runs}
    return counts.pop() if len(counts) == 1 else None


def under_shifts(groups: Sequence[Group]) -> str:
    """Return ``under shifts of up to 2 pixels``, without the distance where runs differ in it or have not recorded it."""
    distances = {repr(_max_shift(group)): _max_shift(group) for group in groups}
    distance = distances.popitem()[1] if len(distances) == 1 else None
    if is_moderate(distance) and isinstance(distance, int):
        return f"under shifts of up to {plural(distance, 'pixel')}"
    return "under shifts"


def _max_shift(group: Group) -> object:
    return lookup(group.runs[0].config, "probes.shift_map.max_shift")
