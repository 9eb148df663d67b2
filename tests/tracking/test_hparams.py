"""Which rows and columns TensorBoard's table of a study has."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convexp.config.compose import compose_config
from convexp.records import RunRecord, RunStatus
from convexp.records.plan import Plan, PlannedRun
from convexp.records.plan_part import part_of
from convexp.records.record import LayerRecord, NetworkRecord
from convexp.tracking import hparams
from convexp.tracking.final_metrics import TABLE_METRICS, final_metrics, table_metrics
from convexp.tracking.hparams import CURATED, cells, session_group


def result(*overrides):
    config = compose_config(*overrides).model_dump(by_alias=True)
    network = NetworkRecord(parameters=1234, flops=0, width=1.0)
    return RunRecord(state=RunStatus.RUNNING, config=json.loads(json.dumps(config)), network=network)


def plan(axes, runs=()):
    return Plan("study", "Why?", axes, {}, list(runs))


def columns(study):
    return hparams.columns(study and part_of(study, ""))


def cells_of(of, *overrides):
    return cells(columns(of), result(*overrides))


def test_without_a_plan_the_curated_columns():
    found = cells_of(None, "model=local", "model.readout=global_avg", "optimizer.lr=0.5", "match=params:5000")
    assert found == {
        "data": "digits",
        "match": "params:5000",
        "model": "local",
        "parameters": 1234,
        "readout": "global_avg",
        "with/batch_size": 32,
        "with/epochs": 5,
        "with/lr": 0.5,
        "with/norm": "none",
        "with/optimizer": "Adam",
    }
    assert not any(column.varies for column in columns(None))


def test_axes_that_the_curated_columns_do_not_show_get_their_own():
    study = plan({"model": ["conv", "local"], "data.shift.train": [0, 0.2], "model.padding_mode": ["zeros"], "seed": [0, 1]})
    found = columns(study)
    assert [column.name for column in found] == [*(column.name for column in CURATED), "shift.train"]
    assert [column.name for column in found if column.varies] == ["model", "shift.train"]
    assert cells_of(study, "data.shift.train=0.2")["shift.train"] == 0.2


def test_a_study_shows_the_model_the_parameters_and_what_varies():
    """What is the same in all runs would push the metrics out of the window."""
    study = plan({"model": ["conv", "local"], "data.train_size": [1, 2], "seed": [0, 1]})
    shown = [column.name for column in hparams.shown_columns(part_of(study, ""))]
    assert shown == ["model", "parameters", "train_size"]
    assert [column.name for column in hparams.shown_columns(None)] == [column.name for column in CURATED]


def test_settings_that_move_together_are_two_columns():
    pairs = [["flatten", "none", 1], ["global_avg", "max", 1]]
    study = plan({"model.readout, model.pool, model.dilation": pairs, "seed, data.split_seed": [[0, 0], [1, 1]]})
    assert [column.name for column in columns(study) if column.varies] == ["readout", "pool"]
    assert cells_of(study, "model.pool=max")["pool"] == "max"


def test_names_that_would_be_ambiguous_are_whole():
    study = plan({"probes.shift_map.max_shift": [1, 2], "data.model": ["a", "b"], "trainer.x": [1, 2], "data.x": [1, 2]})
    assert [column.name for column in columns(study)][len(CURATED) :] == [
        "shift_map.max_shift",
        "data.model",
        "trainer.x",
        "data.x",
    ]


@pytest.mark.parametrize(
    ("values", "number"),
    [
        ([100, 200], True),
        ([1, 0.5], True),
        ([None, 400], False),
        ([[8, 8], 8], False),
        ([True, False], False),
        ([1, "x"], False),
    ],
)
def test_a_column_has_one_type(values, number):
    found = columns(plan({"data.thing": values}))[-1]
    assert found.number is number
    shown = [found.value(RunRecord(state=RunStatus.RUNNING, config={"data": {"thing": value}})) for value in values]
    assert all(isinstance(value, float if number else str) for value in shown), shown
    assert len(set(shown)) == len(values)


def test_numbers_that_not_all_runs_have_are_text():
    axes = {"model": ["conv", "low_rank_local"], "model.wiring.rank": [1, 4], "data.canvas, data.train_size": [[8, 1], [9, 2]]}
    everywhere = {"model": "low_rank_local", "model.wiring.rank": 1, "data.canvas, data.train_size": [8, 1]}
    nowhere = {"model": "conv", "data.canvas, data.train_size": [8, 1]}
    kinds = {c.name: c.number for c in columns(plan(axes, [PlannedRun("a", None, everywhere), PlannedRun("b", None, nowhere)]))}
    assert (kinds["wiring.rank"], kinds["canvas"], kinds["train_size"]) == (False, True, True)
    assert columns(plan(axes, [PlannedRun("a", None, everywhere)]))[-3].number
    assert cells_of(plan(axes, [PlannedRun("b", None, nowhere)]), "model=conv")["wiring.rank"] == "null"


def test_no_number_in_a_column_of_numbers_is_an_empty_cell():
    study = plan({"data.train_size": [100, 200]})
    assert "train_size" not in cells_of(study, "data.train_size=null")
    assert cells_of(study, "data.train_size=100")["train_size"] == 100


def test_texts_are_spelled_as_a_configuration_does():
    study = plan({"data.train_size": [None, 200], "model.channels": [[8, 8], [4]], "compile": [True, False]})
    found = cells_of(study, "data.train_size=null", "model.channels=[8,8]", "compile=true")
    assert (found["train_size"], found["channels"], found["compile"]) == ("null", "[8,8]", "true")


NAMES = st.text("abc", min_size=1, max_size=2)
SETTINGS = st.one_of(st.just("seed"), st.sampled_from([c.path.removeprefix("config.") for c in CURATED]), NAMES) | st.builds(
    "{}.{}".format, st.sampled_from(["data", "model", "trainer"]), NAMES
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(-1, 1), NAMES, st.lists(st.integers(0, 3), max_size=2)
)


@given(st.dictionaries(SETTINGS, st.lists(VALUES, min_size=1, max_size=4), max_size=5))
def test_every_plan_gives_columns_of_distinct_names_and_one_type(axes):
    found = columns(plan(axes))
    names = [column.name for column in found]
    assert len(set(names)) == len(names)
    assert names[: len(CURATED)] == [column.name for column in CURATED]
    for column in found[len(CURATED) :]:
        own = axes[column.path.removeprefix("config.")]
        for value in own:
            section, _, key = column.path.removeprefix("config.").partition(".")
            cell = column.value(RunRecord(state=RunStatus.RUNNING, config={section: {key: value} if key else value}))
            assert isinstance(cell, float if column.number else str)
            assert column.number or cell is not None


class TestRow:
    def test_seeds_share_it(self):
        assert session_group(result("seed=0"), None) == session_group(result("seed=1", "name=x", "logger=none"), None)

    @pytest.mark.parametrize("other", ["model=local", "data.train_size=100", "model.padding_mode=circular", "optimizer.lr=0.1"])
    def test_nothing_else_does_whether_it_is_a_column_or_not(self, other):
        assert session_group(result(), None) != session_group(result(other), None)

    def test_says_the_model_and_what_the_study_varies(self):
        study = plan(
            {"model": ["conv", "local"], "data.train_size": [1, 2], "seed": [0, 1]}, [PlannedRun("a", None, self.POINT)]
        )
        assert re.fullmatch(r"local train_size=2 #[0-9a-f]{6}", session_group(result("model=local"), part_of(study, "a")))
        assert re.fullmatch(r"local #[0-9a-f]{6}", session_group(result("model=local"), None))

    POINT = {"model": "local", "data.train_size": 2, "seed": 1}

    def test_is_the_same_whatever_columns_the_study_has(self):
        runs = [PlannedRun("a", None, {"model": "conv", "seed": 0})]
        few, many = plan({"seed": [0, 1]}, runs), plan({"model": ["conv", "local"], "data.train_size": [1, 2]}, runs)
        assert session_group(result(), part_of(few, "a")) == session_group(result(), part_of(many, "a"))

    def test_seeds_that_follow_the_seed_share_it_and_those_of_an_axis_do_not(self):
        def named(key, first, second):
            study = plan({key: [first, second]}, [PlannedRun("a", None, {key: first}), PlannedRun("b", None, {key: second})])
            a, b = result("seed=0", "data.split_seed=0"), result("seed=1", "data.split_seed=1")
            return session_group(a, part_of(study, "a")), session_group(b, part_of(study, "b"))

        first, second = named("seed", 0, 1)  # split_seed follows by ${seed}
        assert first == second
        first, second = named("seed, data.split_seed", [0, 0], [1, 1])
        assert first == second
        first, second = named("data.split_seed", 0, 1)
        assert first != second


class TestFinalMetrics:
    RESULT = RunRecord(
        state=RunStatus.RUNNING,
        metrics={
            "epochs": 3,
            "val/acc": 0.5,
            "test/acc": 0.25,
            "probe/flip_rate/all": 0.1,
            "probe/flip_rate/n": 9,
            "probe/shift_map/centre": 0.3,
            "probe/shift_map/worst": 0.0,
            "probe/accounting/flops": 7,
        },
        network=NetworkRecord(
            parameters=12,
            flops=0,
            layers=(LayerRecord("stages.0", "Conv2d", (1,), 5, 0), LayerRecord("head", "Linear", (1,), 7, 0)),
            width=1.0,
        ),
    )

    def test_names(self):
        found = final_metrics(self.RESULT)
        assert found["best/val/acc"] == 0.5
        assert "val/acc" not in found
        assert "epochs" not in found
        assert {k: v for k, v in found.items() if k.startswith("parameters/")} == {
            "parameters/total": 12,
            "parameters/stages.0": 5,
            "parameters/head": 7,
        }

    def test_table_has_only_what_there_is_and_the_best_known_first(self):
        assert table_metrics(final_metrics(self.RESULT)) == [
            "test/acc",
            "probe/shift_map/worst",
            "best/val/acc",
            "probe/flip_rate/all",
        ]
        assert table_metrics(dict.fromkeys(reversed(TABLE_METRICS), 0.0)) == list(TABLE_METRICS)
