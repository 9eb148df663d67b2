"""What is read of a folder of runs, and what it does when the files are not what they should be."""

import json
import os
import sys

import pytest
from fabricated_runs import kept, run, with_path
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convexp.errors import ConfigError
from convexp.machine.environment import GitState, Hardware
from convexp.records import collect
from convexp.records.record import DataRecord, NetworkRecord, ProbeRecord, Seconds
from convexp.reporting.render.files import write_report, write_tables
from convexp.reporting.render.terminal import print_report
from convexp.reporting.report import build_report
from convexp.runs import load


def write(root, content, folder="run"):
    (root / folder).mkdir(exist_ok=True)
    (root / folder / "result.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def test_runs_are_found_at_any_depth_in_order_and_do_not_nest(tmp_path):
    kept(tmp_path, with_path("b/2", run(0)), with_path("a", run(1)), with_path("b/1/x", run(2)), with_path("a/inner", run(3)))
    (tmp_path / "b" / "started" / ".hydra").mkdir(parents=True)
    (tmp_path / "b" / "started" / "checkpoints").mkdir()
    (tmp_path / "empty").mkdir()
    found = [(r.path, r.state) for r in collect(tmp_path)]
    assert found == [("a", "finished"), ("b/1/x", "finished"), ("b/2", "finished"), ("b/started", "damaged")]


def test_a_run_is_a_folder_of_runs_too(tmp_path):
    assert collect(kept(tmp_path, run(0)) / "conv-seed0")[0].path == "."


def test_links_are_not_followed_in_circles(tmp_path):
    kept(tmp_path, run(0))
    (tmp_path / "circle").symlink_to(tmp_path)
    assert len(collect(tmp_path)) == 1


def test_what_a_report_needs_is_kept_and_the_rest_is_not(tmp_path):
    made = run(0)
    made["network"]["layers"] = [{"name": "x"}]
    made["probes"]["accounting"] = {"maps": {"layers": [1]}}
    (found,) = collect(kept(tmp_path, made))
    for key in ("state", "identity", "seed", "config", "metrics", "versions", "started"):
        assert getattr(found, key) == made[key]
    assert found.git == GitState(**made["git"])
    assert found.hardware == Hardware(**made["hardware"])
    assert found.seconds == Seconds(**made["seconds"])
    assert found.data == DataRecord(**made["data"])
    assert found.network == NetworkRecord(parameters=1_234_567, flops=2_000_000, width=1.0)
    assert found.probes == {"shift_map": ProbeRecord(maps=made["probes"]["shift_map"]["maps"])}


def test_equal_sections_are_one_object(tmp_path):
    first, second = collect(kept(tmp_path, run(0), run(1)))
    for key in ("data", "versions", "git", "hardware"):
        assert getattr(first, key) is getattr(second, key)
    assert first.config["model"] is second.config["model"]


def test_numbers_that_are_none_are_left_out(tmp_path):
    made = run(0)
    made["metrics"] = {"test/acc": 0.5, "a": None, "b": "0.5", "c": True, "d": [1]}
    (found,) = collect(write(tmp_path, json.dumps(made)))
    assert found.metrics == {"test/acc": 0.5}


def test_a_number_that_json_does_not_know_is_damage(tmp_path):
    (found,) = collect(write(tmp_path, json.dumps(run(0) | {"metrics": {"test/acc": float("nan")}})))
    assert found.state == "damaged"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"config": None}, "config: is missing"),
        ({"config": []}, "config: should be a section, is a list"),
        ({"config": {"model": {"name": 3}}}, "config.model.name: should be text"),
        ({"seed": "0"}, "seed: should be a whole number, is text"),
        ({"seed": None}, "seed: is missing"),
        ({"network": {"parameters": "many"}}, "network.parameters: should be a whole number, is text"),
        ({"metrics": [1]}, "metrics: should be a section, is a list"),
        ({"probes": {"shift_map": 1}}, "probes.shift_map: should be a section, is a whole number"),
        ({"state": 1}, "state: should be text, is a whole number"),
    ],
)
def test_a_result_that_no_run_wrote_is_damaged_and_says_why(tmp_path, change, said):
    (found,) = collect(write(tmp_path, {**run(0), **change}))
    assert found.state == "damaged"
    assert said in found.error


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3),
    max_leaves=5,
)


def nested(depth):
    """JSON of lists in lists; no dictionary that this process could not take apart again."""
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("text", "state", "said"),
    [
        (json.dumps(run(1) | {"format": 99}), "newer", "is of format 99, this convexp reads 1; upgrade convexp"),
        (json.dumps(run(1)).replace('"format": 1', '"format": 2'), "newer", "is of format 2"),  # a byte has flipped
        *(
            (json.dumps(run(1, model__deep="HERE")).replace('"HERE"', nested(depth)), "damaged", said)
            for depth, said in ((60, "nested too deeply"), (600, "nested too deeply"), (5000, "nested too deeply"))
        ),
        (
            json.dumps(run(1)).replace("1234567", "1e308"),
            "damaged",
            "network.parameters: should be a whole number, is a number",
        ),
    ],
)
def test_a_bad_result_is_named_and_the_others_are_reported(tmp_path, text, state, said):
    write(kept(tmp_path, run(0), run(1)), text, "bad")
    found = build_report(tmp_path)
    assert [(r.path, r.state) for r in found.unfinished] == [("bad", state)]
    assert said in found.unfinished[0].reason
    assert [g.n for g in found.groups] == [2]
    assert load(tmp_path).state.tolist() == [state, "finished", "finished"]


@pytest.mark.parametrize("value", [1e308, -1e308, 1e101])
def test_a_number_too_large_for_a_mean_is_named_and_left_out(tmp_path, value):
    made = [run(s) for s in range(3)]
    made[1]["metrics"]["test/acc"] = value
    made[1]["probes"]["shift_map"]["maps"]["radius"] = [value, 0.5]
    made[1]["seconds"]["total"] = value
    found = build_report(kept(tmp_path, *made))
    assert found.groups[0].metric("test/acc").n == 2
    assert "1 run has metrics beyond 1e100, which are left out: conv-seed1 (test/acc)" in found.provenance.warnings
    write_report(found, tmp_path)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_whatever_stands_anywhere_in_a_result_it_can_be_reported(tmp_path, data):
    made = run(0)
    place = made
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(json_values | st.sampled_from([1e308, -1e308, 2**63, json.loads(nested(100))]))
    write(tmp_path, {"format": 1, **made})
    if not (tmp_path / "good").exists():
        kept(tmp_path, with_path("good", run(1)), with_path("better", run(2)))
    found = build_report(tmp_path)
    assert len(found.runs) == 3
    write_tables(found, tmp_path)
    print_report(found)


def test_bad_folders_are_one_line(tmp_path):
    with pytest.raises(ConfigError, match="there is no such folder"):
        collect(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is a file"):
        collect(tmp_path / "file")
    with pytest.raises(ConfigError, match="there are no runs"):
        collect(tmp_path)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_folders_that_cannot_be_read_are_said(tmp_path):
    kept(tmp_path, run(0), run(1))
    (tmp_path / "conv-seed1").chmod(0)
    try:
        assert [r.state for r in collect(tmp_path)] == ["finished", "damaged"]
        with pytest.raises(ConfigError, match="not permitted"):
            collect(tmp_path / "conv-seed1")
    finally:
        (tmp_path / "conv-seed1").chmod(0o700)
