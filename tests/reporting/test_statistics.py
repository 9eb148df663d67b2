import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from convexp.reporting.groups import Group, flatten, group
from convexp.reporting.statistics import mean
from convexp.reporting.table import markdown

values = st.lists(st.floats(0, 1), min_size=2, max_size=45)


@given(values)
def test_interval_is_students(xs):
    ours = mean(xs)
    assert ours.n == len(xs)
    assert ours.mean == pytest.approx(np.mean(xs))
    assert ours.deviation == pytest.approx(np.std(xs, ddof=1), abs=1e-12)
    expected = t.ppf(0.975, len(xs) - 1) * np.std(xs, ddof=1) / len(xs) ** 0.5
    assert ours.half_width == pytest.approx(expected, rel=0.05 if len(xs) > 31 else 1e-3, abs=1e-12)


def test_one_value_has_no_interval_and_none_is_an_error():
    assert mean([0.5]).half_width is None
    with pytest.raises(ValueError, match="no values"):
        mean([])


def run(seed, model="conv", **settings):
    config = {
        "seed": seed,
        "name": f"{model}{seed}",
        "model": {"name": model, "wiring": {"_target_": model}},
        "lr": 0.01,
        **settings,
    }
    return {
        "state": "finished",
        "seed": seed,
        "config": config,
        "network": {"parameters": 7},
        "metrics": {"test/acc": 0.5},
        "started": f"2026-01-01T00:00:0{seed}",
    }


def test_runs_group_by_all_but_the_seed():
    groups = group([run(0), run(1), run(0, lr=0.1), run(0, "dense")])
    assert [(g.label, g.n) for g in groups] == [("conv lr=0.01", 2), ("conv lr=0.1", 1), ("dense lr=0.01", 1)]


def test_a_run_made_twice_counts_once():
    assert [g.n for g in group([run(0), run(0), run(1)])] == [2]


def test_wirings_with_other_settings_are_other_rows():
    def local(bias):
        made = run(0, "local")
        made["config"]["model"] = {**made["config"]["model"], "wiring": {"_target_": "local", "bias": bias}}
        return made

    assert [g.label for g in group([local("location"), local("channel"), run(0)])] == [
        "local bias=location",
        "local bias=channel",
        "conv",
    ]


def test_unfinished_runs_are_in_no_group():
    assert group([{**run(0), "state": state} for state in ("running", "failed", "interrupted")]) == []


def test_flatten():
    assert flatten({"a": {"b": 1, "c": {"d": [2]}}, "e": None}) == {"a.b": 1, "a.c.d": [2], "e": None}


def test_markdown_escapes_its_cells():
    assert "a\\|b" in markdown([Group("a|b", [run(0)])])
