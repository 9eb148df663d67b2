"""What the margin charts show: means over seeds with 95 % intervals, as the report has them, at whole steps."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from convexp.reporting.curves import mean_curve, radius_curve, training_curves
from convexp.reporting.formatting import format_number
from convexp.reporting.groups import Group
from convexp.reporting.metrics import average_of
from convexp.reporting.selection import evenly_spaced
from convexp.reporting.statistics import Mean

Curve = list[tuple[int, Mean]]  # by ascending step

MAX_CONFIGURATIONS = 60  # of a larger study, as many are shown, evenly spaced in the order of the report's table
MAX_SAID = 10  # values of an axis that a chart's name spells out
MAX_STEP = 2**53  # the browser's numbers are whole up to here
# A parenthesis in a name would break the margin charts, which look for the run behind it: "name (run)".
SHIFTS = "accuracy by distance of the shift"
SEED = re.compile(r"-seed\d+$")  # at the end of a run folder's name, unless hydra.sweep.subdir is set
EPOCHS = {"val/acc": "accuracy by epoch, validation", "train/loss": "loss by epoch, training"}


@dataclass(frozen=True)
class Series:
    """One run of TensorBoard that holds means: a configuration, or a line along an axis of the study.

    Attributes:
        name: Its name, as a label of the report.
        curves: The curves by the name of their chart; curves of the same name share a chart.
    """

    name: str
    curves: dict[str, Curve] = field(default_factory=dict[str, Curve])


def configurations(groups: Sequence[Group], root: Path) -> list[Series]:
    """Return a series for each configuration: accuracy by distance of the shift, and metrics by epoch.

    Args:
        groups: The groups of the report.
        root: Folder of the report, below which the run folders lie.
    """
    chosen = [groups[i] for i in evenly_spaced(len(groups), MAX_CONFIGURATIONS)]
    return [Series(name, _curves(group, root)) for name, group in zip(_names(chosen), chosen, strict=True)]


def _names(groups: Sequence[Group]) -> list[str]:
    """The names of the run folders without the seed, so that TensorBoard can group runs with their mean; else the labels."""
    stems = [{SEED.sub("", PurePath(run.path).name) for run in group.runs} for group in groups]
    found = [stem.pop() if len(stem) == 1 else "" for stem in stems]
    return found if all(found) and len(set(found)) == len(found) else [group.label for group in groups]


def _curves(group: Group, root: Path) -> dict[str, Curve]:
    found = {SHIFTS: whole(radius_curve(group))}
    trained = [training_curves(root / run.path, list(EPOCHS)) for run in group.runs]
    for metric, chart in EPOCHS.items():
        curves = [curves[metric] for curves in trained if curves[metric]]
        found[chart] = whole(mean_curve(curves, average_of(metric)))
    return {chart: curve for chart, curve in found.items() if curve}


def whole(curve: Iterable[tuple[float, Mean]]) -> Curve:
    """Return the points of a curve that lie at whole numbers, which a step of TensorBoard has to be."""
    return [(int(x), value) for x, value in curve if are_steps([x])]


def are_steps(values: Iterable[float]) -> bool:
    """Return whether all values can be steps of TensorBoard: whole numbers from 0 on."""
    return all(0 <= value <= MAX_STEP and value == int(value) for value in values)


def places(values: Iterable[float]) -> tuple[dict[float, int], str]:
    """Return the step of each value on an axis, and what has to be said of the steps.

    Whole numbers are their own steps. Other values are numbered in ascending order, from 1 on; the text says which is which,
    of many the first ones and the last.
    """
    known = sorted(set(values))
    if are_steps(known):
        return {value: int(value) for value in known}, ""
    numbered = {value: number for number, value in enumerate(known, 1)}
    said = [f"{number} is {format_number(value)}" for value, number in numbered.items()]
    if len(said) > MAX_SAID:
        said[MAX_SAID - 1 : -1] = ["..."]
    return numbered, f", {', '.join(said)}"
