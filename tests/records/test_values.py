"""When values of settings are the same."""

import json

from hypothesis import given
from hypothesis import strategies as st

from convexp.records.identity import drop_added_later
from convexp.records.plan import Plan, PlannedRun, read_plan, write_plan
from convexp.records.plan_part import part_of
from convexp.records.values import place_of, same_value, unique, value_key

scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(-3, 3), st.sampled_from(["", "1", "true", "a"]))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2), max_leaves=6
)


def without_booleans(value):
    """The value with texts in the place of true and false, so that Python's equality tells them from numbers."""
    if isinstance(value, bool):
        return f"bool {value}"
    if isinstance(value, list):
        return [without_booleans(each) for each in value]
    return {key: without_booleans(each) for key, each in value.items()} if isinstance(value, dict) else value


@given(values, values)
def test_values_are_the_same_if_python_says_so_and_truth_values_are_no_numbers(one, other):
    assert same_value(one, other) == (without_booleans(one) == without_booleans(other))
    assert same_value(one, json.loads(json.dumps(one)))
    if value_key(one) == value_key(other):
        assert same_value(one, other)


@given(st.lists(values, max_size=6))
def test_unique_values_are_those_that_are_spelled_differently(given_values):
    found = unique(given_values)
    keys = [value_key(value) for value in given_values]
    assert [value_key(value) for value in found] == list(dict.fromkeys(keys))


def test_true_and_one_are_two_values_and_so_are_one_and_its_fraction():
    spelled = [True, 1, 1.0, [1], [True], {"a": 0}, {"a": False}, None, "1"]
    assert list(map(repr, unique([*spelled, *spelled]))) == list(map(repr, spelled))
    assert [place_of(value, spelled) for value in (True, 1, 1.0, [True], {"a": False}, 0)] == [0, 1, 1, 4, 6, None]


def test_a_plan_keeps_true_beside_one(tmp_path):
    first, second = ({"model.mine": value, "seed": 0} for value in (True, 1))
    for folder, point in (("a", first), ("b", second)):
        (tmp_path / folder).mkdir()
        plan = Plan(None, None, {"model.mine": [point["model.mine"]], "seed": [0]}, {}, [PlannedRun(folder, folder, point)])
        write_plan(tmp_path, plan)
    plan = read_plan(tmp_path)
    assert repr(plan.axes["model.mine"]) == "[1, True]"
    assert "model.mine" in part_of(plan, "a").varied


def test_true_is_not_the_number_that_older_versions_had():
    settings = {"trainer": {"devices": True, "num_nodes": 1}}
    drop_added_later(settings)
    assert settings == {"trainer": {"devices": True}}
