"""The comparison as a picture: accuracy against the distance of the shift, and against the number of parameters."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from convexp.reporting.groups import Group
from convexp.reporting.statistics import Mean, mean

COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb")  # Paul Tol's bright scheme


def radius_curve(group: Group) -> list[Mean]:
    """Accuracy over the distance of the shift, r = 0, 1, ...; empty if the runs have no shift map."""
    curves = [run["probes"].get("shift_map", {}).get("maps", {}).get("radius") for run in group.runs]
    curves = [curve for curve in curves if curve]
    return [mean(values) for values in zip(*curves, strict=False)]


def write_picture(groups: list[Group], title: str, file: Path) -> None:
    """Both panels, with 95 % intervals over seeds."""
    figure = Figure(figsize=(9, 3.8), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2)
    for index, group in enumerate(groups):
        colour = COLOURS[index % len(COLOURS)]
        _curve(left, group, colour)
        _dots(right, group, colour)
    left.set(xlabel="distance of the shift (pixels)", ylabel="test accuracy (%)", ylim=(0, 102))
    left.xaxis.get_major_locator().set_params(integer=True)
    right.set(xlabel="parameters", ylabel="test accuracy (%)", xscale="log", ylim=(0, 102))
    right.plot([], [], "o", color="grey", label="centred")
    right.plot([], [], "o", color="grey", mfc="white", label="mean under shift")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.suptitle(title, fontsize=11)
    figure.savefig(file)


def _curve(axes: Axes, group: Group, colour: str) -> None:
    curve = radius_curve(group)
    if not curve:
        return
    centre = [100 * m.mean for m in curve]
    half = [100 * (m.half_width or 0) for m in curve]
    axes.plot(range(len(curve)), centre, "o-", color=colour, label=group.label, ms=4)
    low, high = ([c + sign * h for c, h in zip(centre, half, strict=True)] for sign in (-1, 1))
    axes.fill_between(range(len(curve)), low, high, color=colour, alpha=0.2, lw=0)


def _dots(axes: Axes, group: Group, colour: str) -> None:
    for metric, face in (("test/acc", colour), ("probe/shift_map/mean", "white")):
        value = group.metric(metric)
        if value is not None:
            error = 100 * (value.half_width or 0)
            axes.errorbar(group.parameters, 100 * value.mean, error, fmt="o", color=colour, mfc=face, capsize=3)
    accuracy = group.metric("test/acc")
    if accuracy is not None:
        at = (group.parameters, 100 * accuracy.mean)
        axes.annotate(group.label, at, (0, -14), textcoords="offset points", ha="center", color=colour, fontsize=9)
