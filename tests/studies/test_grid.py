"""The grid of a study: laws of its algebra, and one line for everything that is wrong with it."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.config.command_line.format import format_value
from convexp.errors import ConfigError
from convexp.studies.exclusions import is_excluded, parse_exclusion, parse_exclusions
from convexp.studies.grid import apply_overrides, axes, product
from convexp.studies.names import MAX_BYTES, folder_names
from convexp.studies.overrides import parse_value

texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts


@settings(deadline=None)
@given(st.recursive(plain, lambda inner: st.lists(inner, max_size=3), max_leaves=6))
def test_a_formatted_value_is_parsed_as_itself(value):
    assert parse_value(format_value(value)) == value
    assert type(parse_value(format_value(value))) is type(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_cannot_be_formatted_is_refused(value):
    with pytest.raises(ValueError, match="no value for a setting"):
        format_value(value)


sizes = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@settings(deadline=None)
@given(sizes)
def test_product_has_every_combination_once(lengths):
    grid = axes({f"a.s{i}": list(range(n)) for i, n in enumerate(lengths)})
    points = [tuple(parse_value(row[0]) for _, row in point) for point in product(grid)]
    assert points == list(itertools.product(*map(range, lengths)))


@settings(deadline=None)
@given(sizes, st.data())
def test_exclusions_leave_out_exactly_what_they_name(lengths, data):
    grid = axes({f"a.s{i}": list(range(n)) for i, n in enumerate(lengths)})
    chosen = {f"a.s{i}": data.draw(st.lists(st.integers(0, n - 1), min_size=1)) for i, n in enumerate(lengths)}
    for point in product(grid):
        inside = all(parse_value(row[0]) in chosen[axis.key] for axis, row in point)
        assert is_excluded(point, parse_exclusion(chosen)) is inside


@settings(deadline=None)
@given(sizes)
def test_folders_of_different_points_have_different_names(lengths):
    points = product(axes({f"a.s{i}": list(range(n)) for i, n in enumerate(lengths)}))
    names = folder_names(points)
    assert len(set(names)) == len(points)


@settings(deadline=None)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=5, unique=True))
def test_names_stay_apart_and_can_be_folders_whatever_the_values(files):
    names = folder_names(product(axes({"data.source.file": files})))
    assert len(set(names)) == len(files)
    for name in names:
        assert name
        assert name not in (".", "..")
        assert "/" not in name
        assert len(name.encode()) <= MAX_BYTES + 9


def test_settings_that_change_together_stay_together():
    grid = axes({"model.readout, model.pool": [["flatten", "none"], ["global_avg", "max"]], "seed": "range(3)"})
    points = [tuple(row) for point in product(grid) for axis, row in point if len(axis.settings) == 2]
    assert len(points) == 6
    assert set(points) == {("flatten", "none"), ("global_avg", "max")}
    assert folder_names(product(grid))[0] == "readout_flatten-pool_none-seed0"


def test_names_say_what_differs_and_put_the_seed_last():
    grid = axes(
        {"seed": [7], "model": ["conv"], "model.kernel_size": [3], "optimizer.lr": [-0.5], "model.channels": [[16, 32]]}
    )
    assert folder_names(product(grid)) == ["conv-kernel_size3-lr-0.5-channels16_32-seed7"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("range(1, 6, step=2)", [1, 3, 5]), ("conv,local", ["conv", "local"]), ("choice(1,2)", [1, 2]), ("conv", ["conv"])],
)
def test_texts_are_read_as_hydra_reads_sweeps(text, expected):
    (axis,) = axes({"x": text})
    assert [axis.value(row) for row in axis.rows] == expected


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({"model": []}, "model has no values"),
        ({"a.x, a.y": [[1, 2], [3]]}, "should be a list of 2 values"),
        ({"a.x, a.y": [1, 2]}, "should be a list of 2 values"),
        ({"a.x": [1], "a.x, a.y": [[1, 2]]}, "a.x stands on two lines"),
        ({"seed": "interval(0, 1)"}, "is no list of values"),
        ({"seed": "range(0"}, "cannot be read"),
        ({"optimizer.lr": [float("nan")]}, "no value for a setting"),
    ],
)
def test_a_wrong_grid_is_explained_in_one_line(grid, words):
    with pytest.raises(ConfigError, match=words) as error:
        axes(grid)
    assert "\n" not in str(error.value)


def test_command_line_takes_the_place_of_what_the_grid_says():
    grid = axes({"model": ["conv", "local"], "seed": [0, 1]})
    changed, constant = apply_overrides(grid, ["seed=5", "trainer.max_epochs=1", "optimizer.lr=0.1,0.2", "study=x"])
    assert [(axis.key, [parse_value(row[0]) for row in axis.rows]) for axis in changed] == [
        ("model", ["conv", "local"]),
        ("seed", [5]),
        ("optimizer.lr", [0.1, 0.2]),
    ]
    assert constant == ["trainer.max_epochs=1", "study=x"]


@pytest.mark.parametrize("plus", ["", "+", "++"])
def test_a_plus_before_a_setting_hides_it_from_no_grid(plus):
    grid = axes({"model": ["conv", "local"], "seed": [0, 1]})
    changed, constant = apply_overrides(grid, [f"{plus}seed=5"])
    assert [(axis.key, len(axis.rows)) for axis in changed] == [("model", 2), ("seed", 1)]
    assert constant == []
    added, constant = apply_overrides(axes({"+callbacks.own.n": [1, 2]}), [f"{plus}callbacks.own.n=3", "x=1", f"{plus}x=2"])
    assert [axis.rows for axis in added] == [(("3",),)]
    assert constant == [f"{plus}x=2"]
    with pytest.raises(ConfigError, match="changes together"):
        apply_overrides(axes({"a.x, a.y": [[1, 2]]}), [f"{plus}a.x=3"])


def test_the_last_word_on_the_command_line_counts():
    changed, constant = apply_overrides([], ["seed=1,2", "seed=3", "match=units", "match=params:5"])
    assert changed == []
    assert constant == ["seed=3", "match=params:5"]


def test_one_of_a_pair_cannot_be_changed_alone():
    with pytest.raises(ConfigError, match="changes together"):
        apply_overrides(axes({"a.x, a.y": [[1, 2]]}), ["a.x=3"])


def test_an_exclusion_that_excludes_nothing_is_a_mistake():
    points = product(axes({"model": ["conv"], "seed": [0]}))
    assert len(parse_exclusions(points, [{"model": "conv"}])) == 1
    for wrong in ({"model": "dense"}, {"model.stride": 1}, {}):
        with pytest.raises(ConfigError, match="no point of the grid"):
            parse_exclusions(points, [wrong])
