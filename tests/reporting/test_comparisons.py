"""Which groups are compared with which, and on what pairs."""

from dataclasses import replace

import pytest
from fabricated_runs import group_runs, planned, records, run, with_path
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.records.settings import says
from convexp.reporting.baselines import with_baselines
from convexp.reporting.compare import METRICS, Comparison, compare
from convexp.reporting.groups import Group
from convexp.reporting.holm import holm
from convexp.reporting.limits import detectable_differences, enough_for_a_point, too_few_seeds
from convexp.reporting.paired import paired_test

SEEDS = range(5)


def crossed(compare_with, **axes):
    """Two models with and without shifts in training, some seeds each."""
    points = [(m, s, seed) for m in ("local", "conv") for s in (0, 0.2) for seed in SEEDS]
    made = [with_path(f"{m}-{s}-{seed}", run(seed, m, data__shift__train=s)) for m, s, seed in points]
    named = [{"model": m, "data.shift.train": s, "seed": seed} for m, s, seed in points]
    plan = planned({"model": ["local", "conv"], "data.shift.train": [0, 0.2], "seed": [*SEEDS]}, *zip(made, named, strict=True))
    plan.compare.update(compare_with)
    return group_runs(made, plan), plan


def pairs(found):
    return [(c.label, c.baseline) for c in found if c.metric == METRICS[0]]


def test_baseline_has_the_value_and_all_else_equal():
    found = compare(*crossed({"model": "conv"}))
    assert pairs(found) == [("local shift.train=0", "conv shift.train=0"), ("local shift.train=0.2", "conv shift.train=0.2")]
    assert [c.metric for c in found] == [m for m in METRICS for _ in range(2)]


def test_several_axes_can_be_compared():
    found = compare(*crossed({"model": "conv", "data.shift.train": 0}))
    assert pairs(found)[2:] == [
        ("local shift.train=0.2", "local shift.train=0"),
        ("conv shift.train=0.2", "conv shift.train=0"),
    ]


def varied(values, baseline):
    """A setting with these values, some seeds each, of which one is compared with."""
    points = [(value, seed) for value in values for seed in SEEDS]
    made = [with_path(f"{value!r}-{seed}", run(seed, model__mine=value)) for value, seed in points]
    named = [{"model.mine": value, "seed": seed} for value, seed in points]
    plan = planned({"model.mine": [*values], "seed": [*SEEDS]}, *zip(made, named, strict=True))
    plan.compare["model.mine"] = baseline
    return group_runs(made, plan), plan


@pytest.mark.parametrize(
    ("values", "baseline", "compared"),
    [
        ((True, 1), 1, [("conv mine=true", "conv mine=1")]),
        ((True, 1), True, [("conv mine=1", "conv mine=true")]),
        ((0, False), False, [("conv mine=0", "conv mine=false")]),
        ((1, 1.0), 1.0, [("conv mine=1", "conv mine=1.0")]),
        ((1.0, 2.0), 1, [("conv mine=2.0", "conv mine=1.0")]),
        ((True, 2), 1, []),
    ],
)
def test_a_truth_value_is_not_the_number_that_python_takes_it_for(values, baseline, compared):
    assert pairs(compare(*varied(values, baseline))) == compared


@pytest.mark.parametrize("nothing", [{"model": "dense"}, {"model.readout": "flatten"}])
def test_a_value_that_no_group_has_compares_nothing(nothing):
    assert compare(*crossed(nothing)) == []


def test_without_a_plan_the_first_group_is_the_baseline():
    groups, _ = crossed({})
    assert {c.baseline for c in compare(groups)} == {groups[0].label}
    assert len(compare(groups)) == 3 * len(METRICS)
    assert compare(groups[:1]) == compare([]) == []


def test_without_a_plan_no_data_set_is_compared_with_another():
    mnist = {m: with_path(f"mnist-{m}", run(0, m, data__name="mnist"), started="9") for m in ("dense", "conv")}
    groups = group_runs([run(0, "local"), with_path("c", run(0), started="3"), mnist["dense"], mnist["conv"]])
    assert pairs(compare(groups)) == [("conv data=digits", "local data=digits"), ("conv data=mnist", "dense data=mnist")]


def test_a_group_without_an_axis_is_the_baseline_of_all_that_have_it():
    """As in a study of two grids: a convolution has no rank."""
    ranks = [("low_rank_local", rank, seed) for rank in (1, 2) for seed in SEEDS]
    made = [with_path(f"rank{rank}-{seed}", run(seed, m, model__wiring__rank=rank)) for m, rank, seed in ranks]
    named = [{"model": m, "model.wiring.rank": rank, "seed": seed} for m, rank, seed in ranks]
    made += [with_path(f"conv-{seed}", run(seed, "conv")) for seed in SEEDS]
    named += [{"model": "conv", "seed": seed} for seed in SEEDS]
    axes = {"model": ["low_rank_local", "conv"], "model.wiring.rank": [1, 2], "seed": [*SEEDS]}
    plan = planned(axes, *zip(made, named, strict=True))
    plan.compare.update({"model": "conv"})
    groups = group_runs(made, plan)
    assert [g.label for g in groups] == ["low_rank_local wiring.rank=1", "low_rank_local wiring.rank=2", "conv"]
    assert pairs(compare(groups, plan)) == [
        ("low_rank_local wiring.rank=1", "conv"),
        ("low_rank_local wiring.rank=2", "conv"),
    ]


def test_a_run_of_one_grid_has_its_value_on_the_axes_of_another():
    """Of the grids {model} and {model: conv, data.train_size}: conv with 100 images is not compared with local with all."""
    axes = {"model": ["conv", "local"], "data.train_size": [100, None], "seed": [0]}
    small = run(0, data__train_size=100) | {"path": "small"}
    plan = planned(
        axes,
        *((run(0, model), {"model": model, "seed": 0}) for model in ("conv", "local")),
        (small, {"model": "conv", "data.train_size": 100, "seed": 0}),
        model="local",
    )
    groups = group_runs([run(0), run(0, "local"), small], plan)
    assert [group.point.get("data.train_size", "none") for group in groups] == [None, None, 100]
    assert [(group.label, other.label) for group, other in with_baselines(groups, plan.compare)] == [
        (groups[0].label, groups[1].label)
    ]


def test_a_run_of_one_grid_has_no_value_on_an_axis_of_options_of_which_it_does_not_know_the_name():
    """An optimizer of the option ``sgd`` is one of class SGD in the configuration, and its own group on the axis."""
    sgd = run(0, optimizer___target_="torch.optim.SGD") | {"path": "sgd"}
    plan = planned(
        {"model": ["conv"], "optimizer": ["sgd"], "seed": [0]},
        (run(0), {"model": "conv", "seed": 0}),
        (sgd, {"model": "conv", "optimizer": "sgd", "seed": 0}),
        model="conv",
    )
    assert [group.point for group in group_runs([run(0), sgd], plan)] == [
        {"model": "conv"},
        {"model": "conv", "optimizer": "sgd"},
    ]
    assert not says({"augment": None}, "augment")
    assert says({"data": {"train_size": None}}, "data.train_size")
    assert says({"model": {"name": "conv"}}, "model")
    assert not says({"model": {"name": "conv"}}, "model.wiring.rank")


def test_settings_that_move_together_are_compared_together():
    axis = "model.readout, model.pool"
    values = [["flatten", "none"], ["global_avg", "max"]]
    made = [with_path(f"{r}{s}", run(s, model__readout=r, model__pool=p)) for r, p in values for s in SEEDS]
    named = [{axis: value, "seed": s} for value in values for s in SEEDS]
    plan = planned({axis: values, "seed": [*SEEDS]}, *zip(made, named, strict=True))
    plan.compare["model.readout,model.pool"] = ["global_avg", "max"]
    assert pairs(compare(group_runs(made, plan), plan)) == [("conv readout=flatten", "conv readout=global_avg")]


def two(change=lambda made: made, metric=None):
    """Local and conv, as they are but for ``change`` to local's."""
    return group_runs([run(s) for s in SEEDS] + [with_path(f"local{s}", change(run(s, "local"))) for s in SEEDS])


def test_pairs_have_the_same_seed():
    groups = group_runs([run(s, started="0") for s in (0, 1, 2, 3)] + [run(s, "local") for s in (2, 3, 4)])
    assert compare(groups)[0].n == 2


def test_pairs_have_the_same_images_and_split():
    def other(made):
        return {**made, "data": {"checksum": "other", "split": "b9f667b66e3a191f"}} if made["seed"] < 2 else made

    assert [c.n for c in compare(two(other))] == [3, 3, 3]
    nothing = compare(two(lambda made: {**made, "data": {"checksum": "4131c30294bed840", "split": "other"}}))[0]
    assert (nothing.n, nothing.difference, nothing.p, nothing.verdict) == (0, None, None, "no difference shown")


def test_where_the_data_is_what_is_compared_the_seed_is_enough():
    few = [with_path(f"few{s}", {**run(s, data__train_size=10), "data": {"checksum": "x", "split": "few"}}) for s in SEEDS]
    assert compare(group_runs([run(s) for s in SEEDS] + few))[0].n == 5


def test_difference_is_that_of_the_pairs_group_less_baseline():
    def better(made):
        made["metrics"]["test/acc"] = 0.97 + 0.001 * made["seed"] + 0.02 + 0.001 * (made["seed"] * 3 % 5)
        return made

    found = compare(two(better))[0]
    assert found.difference == pytest.approx(0.02 + 0.001 * (0 + 1 + 2 + 3 + 4) / 5)
    assert found.low < found.difference < found.high
    assert (found.verdict, found.method) == ("higher", "bootstrap-t")


def test_verdicts_have_the_sign_and_need_the_adjusted_p():
    def worse(made):
        made["metrics"] = {"test/acc": 0.9 - 0.001 * made["seed"] ** 2}
        return made

    found = compare(two(worse))
    assert [(c.metric, c.verdict) for c in found] == [("test/acc", "lower")]
    many = group_runs([r for g in two(worse) for r in g.runs] + [r for i in range(60) for r in same(i)])
    adjusted = next(c for c in compare(many) if c.label.startswith("local"))
    assert adjusted.p == pytest.approx(found[0].p)
    assert adjusted.p < 0.05 < adjusted.p_adjusted
    assert adjusted.verdict == "no difference shown"


def same(i):
    """Runs of a further configuration that differ from conv's at random."""
    made = [with_path(f"same{i}-{s}", run(s, optimizer__lr=0.1 + i), started="9") for s in SEEDS]
    for r in made:
        r["metrics"] = {"test/acc": 0.97 + 0.01 * ((r["seed"] * 7 + i * 3) % 5 - 2)}
    return made


def test_a_metric_that_one_group_lacks_is_not_compared():
    costs = [with_path(f"cost{s}", {**run(s, "local"), "metrics": {"cost/flops": 3.0}}) for s in SEEDS]
    assert compare(group_runs([run(s) for s in SEEDS] + costs)) == []


def made_up(n, count, p=0.5):
    """Comparisons on one metric, of n pairs each."""
    return [Comparison("test/acc", "local", "conv", n, -0.1, -0.2, 0.0, p, p, "bootstrap-t", "lower")] * count


@pytest.mark.parametrize(
    ("n", "count", "says"),
    [
        (5, 31, None),
        (
            5,
            32,
            "5 seeds are too few to show a difference in 32 comparisons, because the smallest possible p "
            "after the correction is 0.051; run 6 seeds",
        ),
        (6, 300, None),
        (
            6,
            400,
            "6 seeds are too few to show a difference in 400 comparisons, because the smallest possible p "
            "after the correction is 0.051; run 7 seeds",
        ),
        (
            9,
            600,
            "9 seeds are too few to show a difference in 600 comparisons, because the smallest possible p "
            "after the correction is 0.06; make fewer comparisons",
        ),
        (15, 600, None),  # equal differences, of which the sign test has smaller p than 10,000 resamples can
        (3, 600, None),
        (0, 0, None),
    ],
)
def test_too_few_seeds_for_so_many_comparisons(n, count, says):
    found = too_few_seeds(made_up(n, count))
    assert (found is None) if says is None else found.startswith(says)


def test_two_seeds_are_no_verdict():
    """However clear: of two differences nothing tells whether they are close together by accident."""
    groups = group_runs(
        [run(s) for s in (0, 1)] + [with_path(f"l{s}", {**run(s, "local"), "metrics": {"test/acc": 0.2}}) for s in (0, 1)]
    )
    (found,) = compare(groups)
    assert (found.n, found.low, found.high, found.p, found.verdict) == (2, None, None, None, "no difference shown")
    assert too_few_seeds([found]) == "fewer than 3 seeds in common are too few for a verdict; run 3 or more"


accuracies = st.lists(st.integers(0, 360).map(lambda right: right / 360), min_size=7, max_size=7)


@given(st.integers(2, 7), st.lists(st.tuples(accuracies, st.sampled_from([0, 0.1, 0.3])), min_size=2, max_size=6))
@settings(deadline=None, max_examples=60)
def test_an_interval_leaves_out_zero_just_where_a_verdict_is_given(seeds, configurations):
    """And the smallest difference that could be shown is smaller than the one that is."""
    groups = [
        Group(f"{i}", {}, records({**run(s), "metrics": {"test/acc": x / 4 + up}} for s, x in enumerate(xs[:seeds])))
        for i, (xs, up) in enumerate(configurations)
    ]
    for c in compare(groups):
        if c.low is None:
            assert c.method == "sign test" or c.verdict == "no difference shown"
            continue
        assert (c.verdict != "no difference shown") == (not c.low <= 0 <= c.high) == (abs(c.difference) > c.detectable)
        assert (c.verdict == "higher") == (c.low > 0)
        assert -1 <= c.low <= c.difference <= c.high <= 1


def test_what_so_few_seeds_can_show_is_said():
    found = [
        replace(c, verdict="no difference shown", detectable=size)
        for c, size in zip(made_up(3, 3), (0.018, 0.048, None), strict=True)
    ]
    said = "with the observed variation between 3 seeds, only differences of at least 1.8 to 4.8 points can be shown"
    assert detectable_differences(found) == said
    assert detectable_differences(found[:1]) == said.replace(" to 4.8", "")
    assert detectable_differences(found[2:]) is detectable_differences(made_up(3, 3)) is None
    impossible = replace(found[0], detectable=2.741)
    assert detectable_differences([*found, impossible]) == f"{said}, and none in 1 comparison"
    none = "with the observed variation between 3 seeds, no difference that is possible can be shown"
    assert detectable_differences([impossible]) == none


def test_a_comparison_that_needs_more_seeds_than_are_looked_for_counts_too():
    found = [
        replace(c, verdict="no difference shown", detectable=0.02, seeds_for_a_point=seeds)
        for c, seeds in zip(made_up(3, 3), (5, 10, None), strict=True)
    ]
    assert enough_for_a_point(found) == "one point would need from about 5 to more than 100,000 seeds (power 80 %)"
    assert enough_for_a_point(found[:2]) == "one point would need about 5 to 10 seeds (power 80 %)"


def test_comparisons_without_p_count_for_nothing():
    assert too_few_seeds(made_up(5, 31) + made_up(1, 100, p=None)) is None


@pytest.mark.parametrize(("n", "count"), [(5, 31), (5, 32), (6, 300), (6, 400)])
def test_says_too_few_just_where_nothing_can_be_shown(n, count):
    """Differences as clear as can be: far from zero, close together, no two alike."""
    clear = paired_test([1 + 0.001 * i * i for i in range(n)])
    shown = holm([clear.p] * count)[0] < 0.05
    assert shown == (too_few_seeds(made_up(n, count)) is None)
