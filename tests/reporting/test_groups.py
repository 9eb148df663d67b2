"""Groups: what belongs together, how it is called, in which order, where on the axes."""

from fabricated_runs import group_runs, planned, records, run, with_path
from hypothesis import given
from hypothesis import strategies as st

from convexp.records.settings import display_value, flatten, lookup
from convexp.reporting import groups
from convexp.reporting.compare import compare


def labels(*runs, plan=None):
    return [(g.label, g.n) for g in group_runs(runs, plan)]


def test_runs_group_by_all_but_the_seed():
    found = labels(run(0), run(1), run(0, optimizer__lr=0.1), run(0, "dense"))
    assert found == [("conv lr=0.01", 2), ("conv lr=0.1", 1), ("dense lr=0.01", 1)]


def test_groups_are_sorted_by_seed_and_carry_what_differs():
    (conv, local) = group_runs([run(2), run(0), run(1, "local")])
    assert [r.seed for r in conv.runs] == [0, 2]
    assert (conv.point, local.point) == ({"model": "conv"}, {"model": "local"})
    assert (conv.parameters, conv.flops) == (1_234_567, 2_000_000)


def test_a_relaxed_network_counts_as_it_was_tested():
    made = run()
    made["network"] |= {"relaxed_parameters": 7_654_321, "relaxed_flops": 15_000_000}
    (group,) = group_runs([made])
    assert (group.parameters, group.flops) == (7_654_321, 15_000_000)


def test_a_seed_of_the_data_that_follows_the_runs_is_no_difference():
    def made(seed, of_data):
        return run(seed, data__source__seed=of_data, data__split_seed=of_data)

    assert labels(made(0, 0), made(1, 1), made(2, 2)) == [("conv", 3)]
    assert labels(made(0, 7), made(1, 7)) == [("conv", 2)]
    several = labels(made(0, 0), made(1, 1), made(1, 0))  # one of them does not follow
    assert sorted(several) == [("conv source.seed=0 split_seed=0", 2), ("conv source.seed=1 split_seed=1", 1)]


def test_a_run_of_another_command_takes_no_seed_of_the_data_from_the_others():
    made = [run(seed, model, data__split_seed=seed) for model in ("conv", "dense") for seed in range(3)]
    found = labels(*made, run(1, data__split_seed=0, optimizer__lr=0.1))
    assert sorted(n for _, n in found) == [1, 3, 3]


def test_runs_of_another_command_are_no_repetitions_on_the_axes_of_the_plan():
    made = [run(seed, model) for model in ("conv", "dense") for seed in range(3)]
    plan = planned(
        {"model": ["conv", "dense"], "seed": [0, 1, 2]},
        *((each, {"model": each["config"]["model"]["name"], "seed": each["seed"]}) for each in made),
    )
    found = group_runs([*made, with_path("other", run(7, optimizer__lr=0.1))], plan)
    assert [(g.point, g.n) for g in found] == [
        ({"optimizer.lr": 0.01, "model": "conv"}, 3),
        ({"optimizer.lr": 0.01, "model": "dense"}, 3),
        ({"optimizer.lr": 0.1, "model": "conv"}, 1),
    ]
    assert [(c.label, c.baseline, c.n) for c in compare(found, plan) if c.metric == "test/acc" and c.n] == [
        ("dense", "conv lr=0.01", 3)
    ]


def test_a_seed_that_one_data_set_has_alone_may_follow_too():
    assert labels(run(0, data__source__seed=0), run(1, data__source__seed=1), run(0, "dense")) == [("conv", 2), ("dense", 1)]


def test_where_it_was_written_and_how_it_was_watched_is_no_difference():
    other = run(
        1,
        outputs="elsewhere",
        logger={"csv": {"_target_": "x"}},
        trainer__profiler="simple",
        data__workers=8,
        on_failure="stop",
    )
    assert labels(run(0), other) == [("conv", 2)]


def test_public_images_are_the_same_wherever_they_lie_and_a_folder_of_ones_own_is_not():
    def at(seed, root, **more):
        return run(seed, data__source__root=root, **more)

    assert labels(at(0, "a", data__source__download=True), at(1, "b", data__source__download=False)) == [("conv", 2)]
    assert labels(at(0, "a"), at(1, "b")) == [("conv source.root=a", 1), ("conv source.root=b", 1)]


def test_a_run_made_twice_counts_once():
    runs = [run(0), with_path("again", run(0), started="2027"), run(1)]
    assert labels(*runs) == [("conv", 2)]
    counted, duplicates = groups.drop_duplicates(records(runs))
    assert [r.path for r in counted] == ["conv-seed0", "conv-seed1"]
    assert [(r.path, first.path) for r, first in duplicates] == [("again", "conv-seed0")]


def test_of_a_run_made_twice_the_planned_one_counts():
    early, late = with_path("early", run(0), started="2025"), run(0)
    plan = planned({"seed": [0]}, (late, {"seed": 0}))
    assert [r.path for r in groups.drop_duplicates(records([early, late]), plan)[0]] == ["conv-seed0"]
    assert [r.path for r in groups.drop_duplicates(records([early, late]))[0]] == ["early"]


def test_settings_of_the_model_are_named_where_models_of_that_name_differ():
    runs = [run(0, "local", model__wiring__bias="location"), run(0, "local", model__wiring__bias="channel"), run(0)]
    assert [g.label for g in group_runs(runs)] == ["local wiring.bias=location", "local wiring.bias=channel", "conv"]


def test_settings_that_go_with_the_data_or_the_optimizer_are_not_repeated():
    mnist = run(0, data__name="mnist", data__classes=47, data__source={"_target_": "emnist", "root": "x"})
    sgd = run(0, optimizer={"_target_": "torch.optim.SGD", "lr": 0.1, "momentum": 0.9})
    assert [g.label for g in group_runs([run(0), mnist])] == ["conv data=digits", "conv data=mnist"]
    found = group_runs([run(0), sgd])
    assert [g.label for g in found] == ["conv optimizer=Adam", "conv optimizer=SGD"]
    assert found[1].point == {"optimizer": "SGD"}


def test_a_probe_that_one_has_more_is_one_word():
    more = run(0, probes__flip_rate={"_target_": "convexp.probes.behaviour.flip_rate.FlipRate", "max_shift": 2})
    assert [g.label for g in group_runs([run(0), more])] == ["conv", "conv flip_rate=FlipRate"]


def test_unfinished_runs_are_in_no_group():
    assert group_runs([{**run(0), "state": state} for state in ("running", "failed", "interrupted")]) == []
    assert group_runs([]) == []


AXES = {"model": ["conv", "local"], "data.shift.train": [0, 0.2], "seed": [0, 1]}


def grid():
    """A crossed study; the runs in the order in which they were started, which is not the grid's."""
    points = [(m, s, seed) for m in ("conv", "local") for s in (0, 0.2) for seed in (0, 1)]
    made = [with_path(f"{m}-{s}-{seed}", run(seed, m, data__shift__train=s)) for m, s, seed in points]
    named = [{"model": m, "data.shift.train": s, "seed": seed} for m, s, seed in points]
    return made, planned(AXES, *zip(made, named, strict=True))


def test_groups_of_a_study_are_in_the_order_of_its_grid_and_have_its_axes():
    made, plan = grid()
    found = group_runs(made[::-1], plan)
    assert [g.label for g in found] == [
        "conv shift.train=0",
        "conv shift.train=0.2",
        "local shift.train=0",
        "local shift.train=0.2",
    ]
    assert found[1].point == {"model": "conv", "data.shift.train": 0.2}
    assert {g.n for g in found} == {2}


def test_without_its_plan_a_study_is_grouped_alike():
    made, plan = grid()
    with_plan, without = group_runs(made, plan), group_runs(made)
    assert [(g.label, g.point, [r.path for r in g.runs]) for g in with_plan] == [
        (g.label, g.point, [r.path for r in g.runs]) for g in without
    ]


def test_an_axis_on_which_nothing_differs_yet_is_in_no_label():
    made, plan = grid()
    assert labels(*made[:2], plan=plan) == [("conv", 2)]


def test_runs_that_the_study_did_not_plan_are_placed_by_their_settings_and_come_last():
    made, plan = grid()
    stray = with_path("a-stray", run(0, "dense"), started="2020")
    found = group_runs([stray, *made], plan)
    assert (found[-1].label, found[-1].point) == ("dense shift.train=0", {"model": "dense", "data.shift.train": 0})


def test_a_stray_on_a_point_of_the_plan_gets_a_label_of_its_own():
    made, plan = grid()
    stray = with_path("stray", run(0, data__shift__train=0, optimizer__lr=0.5))
    found = group_runs([*made, stray], plan)
    assert found[0].label == "conv shift.train=0 lr=0.01"
    assert found[-1].label == "conv shift.train=0 lr=0.5"


def test_settings_that_move_together_are_one_axis():
    axis = "model.readout, model.pool"
    flat, avg = run(0), with_path("avg", run(0, model__readout="global_avg", model__pool="max"))
    stray = with_path("stray", run(0, model__readout="global_max", model__pool="avg"))
    plan = planned(
        {axis: [["flatten", "none"], ["global_avg", "max"]]},
        (flat, {axis: ["flatten", "none"]}),
        (avg, {axis: ["global_avg", "max"]}),
    )
    found = group_runs([flat, avg, stray], plan)
    assert [g.label for g in found] == [
        "conv readout=flatten",
        "conv readout=global_avg",
        "conv readout=global_max",
    ]
    assert found[2].point == {axis: ["global_max", "avg"]}


def test_a_choice_without_a_name_is_called_as_the_plan_calls_it():
    sgd = with_path("sgd", run(0, optimizer={"_target_": "torch.optim.SGD", "lr": 0.1}))
    plan = planned({"optimizer": ["adam", "sgd"]}, (run(0), {"optimizer": "adam"}), (sgd, {"optimizer": "sgd"}))
    assert [g.label for g in group_runs([run(0), sgd], plan)] == ["conv optimizer=adam", "conv optimizer=sgd"]


def test_a_folder_with_a_run_of_other_settings_is_not_taken_for_the_planned_one():
    made, plan = grid()
    other = with_path(made[0]["path"], run(0, "dense"))
    assert "dense" in [g.point["model"] for g in group_runs([other, *made[1:]], plan)]


settings = st.fixed_dictionaries(
    {
        "lr": st.sampled_from([0.1, 0.2]),
        "epochs": st.integers(1, 2),
        "model": st.sampled_from(["conv", "local"]),
        "seed": st.integers(0, 3),
    }
)


@given(st.lists(settings, max_size=12), st.randoms())
def test_groups_part_the_runs_whatever_their_order(chosen, rng):
    runs = [
        with_path(str(i), run(s["seed"], s["model"], optimizer__lr=s["lr"], trainer__max_epochs=s["epochs"]), started=f"{i:03}")
        for i, s in enumerate(chosen)
    ]
    found = group_runs(runs)
    assert sum(g.n for g in found) == len({tuple(sorted(s.items())) for s in chosen})
    assert len({g.label for g in found}) == len(found)
    other = rng.sample(runs, len(runs))
    assert [(g.label, [r.path for r in g.runs]) for g in group_runs(other)] == [
        (g.label, [r.path for r in g.runs]) for g in found
    ]


def test_flatten():
    assert flatten({"a": {"b": 1, "c": {"d": [2]}}, "e": None}) == {"a.b": 1, "a.c.d": [2], "e": None}


def test_lookup():
    config = run(0)["config"]
    assert [lookup(config, s) for s in ("model", "data.shift.train", "optimizer", "nothing.here", "trainer.profiler.x")] == [
        "conv", 0, "Adam", None, None
    ]  # fmt: skip


def test_values_are_shown_as_a_configuration_spells_them():
    values = {None: "null", True: "true", 0.2: "0.2", "a\nb": "a b", "\x1b[31mred": "?[31mred", "\ud800": "?"}
    assert {value: display_value(value) for value in values} == values
    assert display_value([16, [32, None]]) == "[16,[32,null]]"
