"""The tables of groups and comparisons as rows of text, as the terminal, Markdown and LaTeX show them."""

from collections.abc import Sequence

from convexp.records.settings import lookup
from convexp.reporting.answer.conditions import test_images
from convexp.reporting.comparison import Comparison
from convexp.reporting.formatting import (
    MISSING,
    format_difference,
    format_effect,
    format_interval,
    format_mean_of_runs,
    format_p,
)
from convexp.reporting.groups import Group
from convexp.reporting.metrics import COLUMNS, other_test_metrics

Rows = list[list[str]]  # the header, then the body

CAPTIONS = {  # by the first column that a caption is about
    "test": "test: accuracy (%) on {images}",
    "shift mean": "shift mean, shift worst: mean and minimum of the accuracy (%) over the grid of shifts",
    "consistency": "consistency: same answer for two shifts of an image (%); by chance: for two images of different classes",
    "FLOPs": "FLOPs: forward pass of one image",
}
COMPARISON_CAPTION = (
    "difference: mean over pairs of runs of the same seed (in points for percentages); interval and p: with Holm's correction "
    "for all comparisons on the metric; a difference is shown if p is below 0.05, exactly when the interval excludes 0"
)
EFFECTS = ("g", "higher in", "seeds for a point")
EFFECT_CAPTION = (
    "g: Hedges' g, the mean difference in standard deviations of the differences between seeds; higher in: share of the pairs; "
    "seeds for a point: how many would show one percentage point with power 80 %, if differences vary as observed"
)
COMPARISON_TEXT_COLUMNS = (0, 1, 2, 7)


def columns(groups: Sequence[Group]) -> dict[str, str]:
    """Return the entries of ``COLUMNS`` whose metric at least one group has, after the test metrics of other tasks."""
    others = other_test_metrics(dict.fromkeys(name for group in groups for run in group.runs for name in run.metrics))
    return others | {title: metric for title, metric in COLUMNS.items() if any(g.metric(metric) for g in groups)}


def caption(groups: Sequence[Group]) -> str:
    """Return the caption of the table of groups, which explains its columns."""
    parts = [CAPTIONS[title].format(images=test_images(groups)) for title in columns(groups) if title in CAPTIONS]
    return "; ".join([*parts, "mean and 95 % interval over n seeds"])


def heading(groups: Sequence[Group]) -> str:
    """Return what the rows of the tables are: wirings of the skeleton, or networks if there are others among them."""
    networks = [lookup(run.config, "model.network._target_") for group in groups for run in group.runs]
    return "wiring" if all(network is None for network in networks) else "network"


def group_rows(groups: Sequence[Group]) -> Rows:
    """Return the header, and a row for each group."""
    metrics = columns(groups)
    body = [[g.label, f"{g.parameters:,}", str(g.n), *(_mean(g, metric) for metric in metrics.values())] for g in groups]
    return [[heading(groups), "parameters", "n", *metrics], *body]


def _mean(group: Group, metric: str) -> str:
    return format_mean_of_runs(group.metric(metric), metric, group.n)


def effect_rows(comparisons: Sequence[Comparison], compared: str = "wiring") -> Rows:
    """Return the rows of ``comparison_rows`` with the effect sizes and the seeds that would show a point."""
    header, *body = comparison_rows(comparisons, compared)
    return [[*header, *EFFECTS], *([*row, *_effects(c)] for row, c in zip(body, comparisons, strict=True))]


def _effects(c: Comparison) -> list[str]:
    higher = MISSING if c.superiority is None else f"{100 * c.superiority:.0f} %"
    return [format_effect(c.effect), higher, MISSING if c.seeds_for_a_point is None else f"{c.seeds_for_a_point:,}"]


def comparison_rows(comparisons: Sequence[Comparison], compared: str = "wiring") -> Rows:
    """Return the header, and a row for each comparison.

    Args:
        comparisons: The comparisons.
        compared: What is compared, as ``heading`` says.
    """
    titles = {metric: title for title, metric in COLUMNS.items()}
    body = [[titles.get(c.metric, c.metric), c.label, c.baseline, str(c.n), *_numbers(c), c.verdict] for c in comparisons]
    return [["metric", compared, "against", "n", "difference", "interval", "p", "verdict"], *body]


def _numbers(c: Comparison) -> list[str]:
    interval = format_interval(c.low, c.high, c.metric)
    return [format_difference(c.difference, c.metric), interval, format_p(c.p_adjusted)]
