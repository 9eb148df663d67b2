"""The answer in one sentence: what it says of every kind of report, and that its numbers are those of the table."""

import re
from dataclasses import replace

import pytest
from fabricated_report import comparison, group, three_layers, train_sizes
from fabricated_runs import group_runs, run
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from convexp.reporting.answer import answer
from convexp.reporting.compare import compare
from convexp.reporting.groups import Group
from convexp.reporting.unfinished import Unfinished


def said(report):
    return answer(report).replace("\N{NO-BREAK SPACE}", " ")


def with_images(made, count=360, shift=2):
    """The group with a number of test images and a distance of the shifts."""
    runs = [
        structs.replace(
            r, data=structs.replace(r.data, test=count), config={**r.config, "probes": {"shift_map": {"max_shift": shift}}}
        )
        for r in made.runs
    ]
    return replace(made, runs=runs)


def compared(*groups):
    return replace(three_layers(), groups=[*groups], comparisons=[])


def test_wirings_with_a_verdict_each():
    report = three_layers()
    report = replace(report, groups=[with_images(g) for g in report.groups])
    assert said(report) == (
        "On the 360 test images as they are, dense reaches 96.5 %, local 97.5 % and conv 92.5 %: conv is lower than dense, and "
        "for local no difference to dense is shown; under shifts of up to 2 pixels dense falls to 57.9 %, local 58.5 % and "
        "conv 55.5 % (mean over 3 seeds)."
    )


def test_what_is_alike_is_said_once():
    groups = [group("dense", accuracy=0.961), group("local", accuracy=0.96), group("conv", accuracy=0.965)]
    shown = [comparison(m, "dense", 0.0, metric) for metric in ("test/acc", "probe/shift_map/mean") for m in ("local", "conv")]
    report = replace(three_layers(), groups=groups, comparisons=shown)
    assert said(report) == (
        "On the test images as they are, dense reaches 96.6 %, local 96.5 % and conv 97.0 %, and no difference is shown; under "
        "shifts all fall to about 58 % (mean over 3 seeds)."
    )
    assert "all fall" not in said(replace(report, comparisons=[]))  # nothing was compared


def test_a_study_along_an_axis_names_its_ends_once_and_its_best_value_if_that_is_no_end():
    assert said(train_sizes()).startswith(
        "On the test images as they are, dense goes from 61.6 % at train_size=100 to 96.4 % at 1,000, local from 49.7 % to "
        "89.2 % and conv from 38.7 % to 80.4 %, and a difference is shown in 3 of 6 comparisons with dense; under shifts dense "
    )
    hill = [group("conv", size=s, accuracy=a) for s, a in ((1, 0.88), (15, 0.94), (55, 0.93))]
    assert "conv goes from 88.5 % at train_size=1 to 93.5 % at 55 (at best 94.5 % at 15)" in said(compared(*hill))


def test_a_difference_along_any_axis_is_one():
    report = three_layers()
    alike = [replace(c, verdict="no difference shown") for c in report.comparisons]
    assert "and no difference is shown" in said(replace(report, comparisons=alike))
    higher = replace(comparison("conv train_size=300", "conv train_size=100", 0.02), axis="data.train_size", verdict="higher")
    flat = replace(comparison("conv width=2", "conv width=1", 0.0), axis="model.width")
    found = said(replace(report, comparisons=alike, along=[higher, flat]))
    assert "no difference is shown" not in found
    assert (
        "and a difference is shown in 1 of 1 comparison with train_size=100 along train_size and in 0 of 1 comparison with "
        "width=1 along width and in 0 of 2 comparisons with dense"
    ) in found


def test_the_first_line_with_two_ends_has_the_verb():
    sizes = ((None, 0.9), (1, 0.93), (15, 0.94), (55, 0.95))
    made = [
        replace(
            group("local", accuracy=accuracy),
            label=f"local kernel_size={size}",
            point={"model": "local", "model.kernel_size": size},
        )
        if size
        else group("dense", accuracy=accuracy)
        for size, accuracy in sizes
    ]
    assert "dense has 90.5 % and local goes from 93.5 % at kernel_size=1 to 95.5 % at 55" in said(compared(*made))
    assert "dense has 54.3 % and local goes from 56.1 %" in said(compared(*made))


def test_many_configurations_are_named_by_their_extremes():
    groups = [group(f"own{i}", accuracy=0.5 + i / 50) for i in range(9)]
    assert "the 9 configurations reach from 50.5 % (own0) to 66.5 % (own8)" in said(compared(*groups))


def test_of_many_configurations_the_one_that_stands_out_is_named_beside_the_range_of_the_others():
    groups = [group(f"own{i}", accuracy=accuracy) for i, accuracy in enumerate((0.2, 0.21, 0.22, 0.23, 0.97))]
    assert "own4 has 97.5 %, the other 4 reach 20.5 to 23.5 %" in said(compared(*groups))
    groups = [group(f"own{i}", accuracy=0.9 + i / 1000) for i in range(6)]
    assert "the 6 configurations reach 90.5 to 91.0 %" in said(compared(*groups))


def test_the_number_of_images_and_the_distance_are_left_out_where_runs_differ():
    groups = [with_images(group("dense"), 360, 2), with_images(group("conv"), 100, 3)]
    assert said(compared(*groups)).startswith("On the test images as they are, dense reaches")
    assert "; under shifts both" not in said(compared(*groups))
    assert "under shifts dense falls to" in said(compared(*groups))


def without_accuracy(made, **metrics):
    return Group(made.label, made.point, [structs.replace(r, metrics=metrics) for r in made.runs])


def test_a_task_without_accuracy_names_its_metric():
    groups = [without_accuracy(group(m), **{"test/mae": 0.5 + i}) for i, m in enumerate(("dense", "conv"))]
    assert said(compared(*groups)) == (
        "On the test images, test/mae is 0.5 for dense and 1.5 for conv (mean over 3 seeds; not compared with a baseline)."
    )


def test_runs_that_only_count_say_what_they_counted():
    groups = [without_accuracy(group(m, 1), **{"cost/parameters": 10.0 + i}) for i, m in enumerate(("dense", "conv"))]
    assert said(compared(*groups)).startswith("Parameters are 10 for dense and 11 for conv (one seed each; not compared")
    none = [without_accuracy(group(m), **{"val/acc": 0.5}) for m in ("dense", "conv")]
    assert said(compared(*none)) == "The 6 finished runs measured nothing on test images."


def test_one_group_is_compared_with_nothing():
    assert said(compared(group("conv", 1))).endswith(
        "(one seed; the only configuration, so there is nothing to compare it with)."
    )


def test_two_seeds_are_said_to_be_too_few():
    report = replace(three_layers(), groups=[group("dense", 2), group("conv", 2)])
    report = replace(report, comparisons=compare(report.groups))
    assert said(report).endswith("(mean over 2 seeds; a verdict needs 3 seeds or more).")
    assert "difference" not in said(report)


@pytest.mark.parametrize(
    ("lost", "expected"),
    [([], "No run has finished."), ([Unfinished("a", "failed", "x")] * 2, "No run has finished: 2 failed.")],
)
def test_nothing_finished(lost, expected):
    assert said(replace(three_layers(), groups=[], comparisons=[], unfinished=lost)) == expected


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 360).map(lambda right: right / 360), min_size=3, max_size=3), min_size=2, max_size=4))
def test_every_value_and_every_verdict_is_that_of_the_table(accuracies):
    models = ("dense", "local", "global_conv", "conv")
    runs = [
        {**run(s, m), "metrics": {"test/acc": x}} for m, xs in zip(models, accuracies, strict=False) for s, x in enumerate(xs)
    ]
    groups = group_runs(runs)
    comparisons = compare(groups)
    sentence = said(replace(three_layers(), groups=groups, comparisons=comparisons))
    values = [float(v) for v in re.findall(r"([\d.]+) %", sentence)]
    assert values == pytest.approx([100 * g.metric("test/acc").mean for g in groups], abs=0.051)
    assert ("no difference is shown" in sentence) == (not any(c.shows_difference for c in comparisons))
    for c in comparisons:
        if c.shows_difference:
            assert re.search(rf"{c.label}[^;:]* (is|are) {c.verdict} than {c.baseline}", sentence)
