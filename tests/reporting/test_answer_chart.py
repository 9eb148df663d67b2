"""The chart of the first screen, the level of chance, and the differences: what they show and how much room they take."""

from dataclasses import replace

import msgspec
import pytest
from fabricated_report import NOTHING, comparison, group, run, three_layers, train_sizes
from matplotlib.colors import to_hex

from convexp.pictures.palette import WIRINGS
from convexp.reporting.charts import draw_charts
from convexp.reporting.charts.chance import chance_level
from convexp.reporting.charts.style import PAPER
from convexp.reporting.groups import Group
from convexp.reporting.report import Report


def with_classes(report, *counts):
    """The groups' runs get these numbers of classes, in turn."""
    for i, made in enumerate(report.groups):
        for each in made.runs:
            each.config["data"] = {"classes": counts[i % len(counts)]}
    return report


def chart_of(report, name="every_seed"):
    return next((chart for chart in draw_charts(report) if chart.name == name), None)


def points(axes, colour):
    """Positions of all markers of this colour, in per cent and rounded."""
    return {
        (round(float(x), 2), round(float(y), 2))
        for line in axes.lines
        if line.get_marker() not in ("None", "") and to_hex(line.get_color()) == colour
        for x, y in line.get_xydata()
    }


def test_every_seed_is_a_dot_as_images_are_and_under_shifts():
    chart = chart_of(with_classes(three_layers(), 10))
    assert (chart.section, len(chart.figure.axes)) == ("answer", 1)
    for made in three_layers().groups:
        drawn = {x for x, _ in points(chart.figure.axes[0], WIRINGS[made.label].light)}
        for each in made.runs:
            assert {round(100 * each.metrics[m], 2) for m in ("test/acc", "probe/shift_map/mean")} <= drawn
    assert "chance 10 %" in chart.svg
    assert "chance" in chart.caption


def test_a_study_along_an_axis_is_drawn_along_it():
    report = with_classes(train_sizes(), 10)
    chart = chart_of(report)
    assert chart.title == "accuracy against training images"
    assert len(chart.figure.axes) == 2
    for axes, metric in zip(chart.figure.axes, ("test/acc", "probe/shift_map/mean"), strict=True):
        drawn = points(axes, WIRINGS["conv"].light)
        for made in report.groups[-3:]:
            assert {(made.point["data.train_size"], round(100 * r.metrics[metric], 2)) for r in made.runs} <= drawn
        assert tuple(axes.get_ylim()) == (0, 102)


@pytest.mark.parametrize("count", [1, 3, 8, 40])
def test_it_has_room_in_the_first_screen(count):
    """At a width of 640 pixels it is at most 380 high."""
    groups = [group(f"network{i}", 2) for i in range(count)]
    for made in (groups, [group("conv", 2, size=10 * (i + 1)) for i in range(count)]):
        width, height = chart_of(replace(three_layers(), groups=made, comparisons=[])).figure.get_size_inches()
        assert 640 * height / width <= 380


def test_other_tasks_and_costs_answer_too():
    errors = msgspec.structs.replace(run("conv", 0), metrics={"test/mae": 0.3}, probes={})
    costs = msgspec.structs.replace(run("conv", 0), metrics={"cost/flops": 1e6}, probes={})
    for made, title in ((errors, "test/mae"), (costs, "FLOPs")):
        report = Report("?", three_layers().root, None, [Group("conv", {"model": "conv"}, [made])], [], [], NOTHING, [])
        chart = chart_of(report)
        assert chart.title == title
        assert "chance" not in chart.svg


def test_costs_of_different_units_do_not_share_an_axis():
    counted = {"cost/parameters": 1e3, "cost/training_bytes": 1e9}
    costs = msgspec.structs.replace(run("conv", 0), metrics=counted, probes={})
    chart = chart_of(Report("?", three_layers().root, None, [Group("conv", {"model": "conv"}, [costs])], [], [], NOTHING, []))
    assert chart.title == "parameters"
    assert "of 1 configuration, every seed" in chart.alt_text


def test_chance_is_one_of_the_classes_if_all_runs_agree():
    assert chance_level(with_classes(three_layers(), 10).groups, "test/acc") == 0.1
    assert chance_level(with_classes(three_layers(), 10).groups, "train/loss") is None
    assert chance_level(with_classes(three_layers(), 10, 4).groups, "test/acc") is None
    for strange in (True, 1, 0, -3, "10", None, [10]):
        assert chance_level(with_classes(three_layers(), strange).groups, "test/acc") is None
    assert chance_level(three_layers().groups, "test/acc") is None


def test_differences_share_their_rows_and_are_filled_where_they_are_shown():
    metrics = ("test/acc", "probe/shift_map/mean")
    pairs = [("local", "conv", 0.01), ("dense", "conv", -0.05)]
    compared = [comparison(*pair, metric) for metric in metrics for pair in (pairs if metric == metrics[0] else pairs[1:])]
    chart = chart_of(replace(three_layers(), comparisons=compared), "differences")
    first, second = chart.figure.axes
    assert points(first, WIRINGS["local"].light) == {(1.0, 0.0)}
    assert points(first, WIRINGS["dense"].light) == points(second, WIRINGS["dense"].light) == {(-5.0, 1.0)}
    assert [text.get_text() for text in first.get_yticklabels()] == ["local", "dense"]
    assert first.get_ylim() == second.get_ylim()
    faces = {line.get_markerfacecolor() for line in first.lines if line.get_marker() not in ("None", "")}
    assert faces == {PAPER, WIRINGS["dense"].light}
