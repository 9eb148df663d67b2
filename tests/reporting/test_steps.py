"""Comparisons along an axis: which pairs, corrected for what, and what is said of them."""

from dataclasses import replace

import pytest
from fabricated_runs import group_runs, planned, run, with_path

from convexp.reporting.compare import compare, compare_along
from convexp.reporting.step_verdicts import step_lines, step_verdicts, stretches

SIZES = (1, 3, 7, 15)
ACCURACY = {1: 0.80, 3: 0.90, 7: 0.95, 15: 0.9499}


def study(sizes=SIZES, models=("local", "conv"), seeds=5, **compare_with):
    """Each size and model; seeds vary by a little, in which no two sizes are alike."""
    points = [(m, k, s) for m in models for k in sizes for s in range(seeds)]
    made = [with_path(f"{m}-{k}-{s}", run(s, m, model__kernel_size=k)) for m, k, s in points]
    for each, (_, k, s) in zip(made, points, strict=True):
        each["metrics"] = {
            "test/acc": ACCURACY.get(k, 0.5) + (0.001 * ((s * 5 + k * k) % 7) if k != 15 else 0.003 + 0.001 * (-1) ** s)
        }
    named = [{"model": m, "model.kernel_size": k, "seed": s} for m, k, s in points]
    axes = {"model": [*models], "model.kernel_size": [*sizes], "seed": [*range(seeds)]}
    plan = planned(axes, *zip(made, named, strict=True))
    plan.compare.update(compare_with)
    return group_runs(made[::-1], plan), plan


def test_neighbours_and_ends_of_each_line_are_compared():
    groups, plan = study(model="conv")
    found = compare_along(groups, plan)
    for line in ("local", "conv"):
        mine = [(c.start, c.stop) for c in found if c.line == line]
        assert mine == [(1, 3), (3, 7), (7, 15), (1, 15)]
    assert [(c.baseline, c.label) for c in found[:2]] == [
        ("local kernel_size=1", "local kernel_size=3"),
        ("local kernel_size=3", "local kernel_size=7"),
    ]
    assert {c.axis for c in found} == {"model.kernel_size"}
    assert {c.axis for c in compare(groups, plan)} == {None}


def test_the_correction_is_for_all_along_the_axis_and_none_beside_it():
    groups, plan = study(model="conv")
    found = compare_along(groups, plan)
    known = sorted((c.p, c.p_adjusted) for c in found)
    assert known[0][1] == pytest.approx(min(1, 8 * known[0][0]))
    alone = compare_along(*study(models=("conv",)))
    assert min(c.p_adjusted for c in alone) == pytest.approx(4 * min(c.p for c in alone))


def test_verdicts_follow_the_line():
    groups, plan = study(model="conv", seeds=8)
    ((axis, verdict),) = step_verdicts(compare_along(groups, plan))
    assert (axis, verdict.metric, verdict.direction) == ("model.kernel_size", "test/acc", "higher")
    local, conv = verdict.text.split(". ")
    assert local == "local higher from 1 to 7, no difference shown to 15; from end to end +15.0 points, higher"
    assert conv == local.replace("local", "conv", 1)
    assert step_lines(compare_along(groups, plan))[0].startswith("along kernel_size, test accuracy: local higher from 1 to 7")


def test_stretches_cover_the_line_without_gaps():
    groups, plan = study(sizes=(1, 3, 5, 7, 15, 27), models=("conv",))
    found = stretches(compare_along(groups, plan))
    assert (found[0].start, found[-1].stop) == (1, 27)
    assert all(a.stop == b.start and a.verdict != b.verdict for a, b in zip(found, found[1:], strict=False))


def test_what_lacks_the_metric_is_no_end_of_the_line():
    """Without its last value a line has no comparison of its ends, and a step is not taken for it."""
    groups, plan = study(models=("conv",), seeds=8)
    whole = compare_along(groups, plan)
    assert [c.whole for c in whole] == [False, False, False, True]
    ((_, verdict),) = step_verdicts([c for c in whole if c.stop != 15])
    assert verdict.text == "conv higher from 1 to 7"
    ((_, verdict),) = step_verdicts([c for c in whole if c.start != 3 and c.stop != 3])
    assert verdict.text == "conv no difference shown from 7 to 15; from end to end +15.0 points, higher"
    ((_, verdict),) = step_verdicts(whole[-1:])
    assert verdict.text == "conv higher from 1 to 15 (+15.0 points)"


def test_values_between_two_stretches_that_were_not_compared_are_in_neither():
    groups, plan = study(models=("conv",), seeds=8)
    first, _, last, _ = compare_along(groups, plan)
    found = stretches([first, replace(last, verdict=first.verdict)])
    assert [(each.start, each.stop) for each in found] == [(1, 3), (7, 15)]


def test_an_axis_that_has_a_baseline_is_not_compared_again():
    groups, plan = study(models=("conv",), **{"model.kernel_size": 3})
    assert {c.baseline for c in compare(groups, plan)} == {"conv kernel_size=3"}
    assert compare_along(groups, plan) == []
    two = study(sizes=(1, 3), models=("conv",))
    assert [(c.label, c.baseline) for c in compare(*two)] == [("conv kernel_size=3", "conv kernel_size=1")]
    assert compare_along(*two) == []  # the same pair
    assert compare_along(groups) == []  # no plan, no axes


def test_a_single_step_names_its_size():
    groups, plan = study(sizes=(1, 3), model="conv", seeds=8)
    ((_, verdict),) = step_verdicts(compare_along(groups, plan))
    assert verdict.text.startswith("local higher from 1 to 3 (+10.")
