"""In what two runs differ: laws of the comparison, and the command convexp-diff."""

import json
import shutil

import pytest
from fabricated_runs import kept, run, with_path
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convexp.records.decode import RecordDecoder
from convexp.reporting.difference.difference import compare_runs
from convexp.reporting.difference.ends import compare_curves

METRICS = st.dictionaries(st.sampled_from(["test/acc", "val/loss", "probe/x/mean", "seconds_per_epoch"]), st.floats(-9, 9))
RUNS = st.builds(
    lambda seed, model, lr, metrics: {**run(seed, model, optimizer__lr=lr), "metrics": metrics},
    st.integers(0, 2),
    st.sampled_from(["conv", "local"]),
    st.sampled_from([0.1, 0.01]),
    METRICS,
)
VALUES = st.lists(st.sampled_from([0.5, 1.0, float("nan")]), max_size=4)
CURVES = st.dictionaries(st.sampled_from(["train/loss", "val/acc"]), VALUES)


@given(RUNS, RUNS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_the_other_way_round_everything_is_exchanged(tmp_path, a, b):
    first, second = (RecordDecoder().decode(json.dumps(made).encode()) for made in (a, b))
    folders = tmp_path / "a", tmp_path / "b"
    there = compare_runs(first, second, folders)
    back = compare_runs(second, first, folders[::-1])
    assert {(s.name, s.a, s.b) for s in there.settings} == {(s.name, s.b, s.a) for s in back.settings}
    assert {m.metric: m.difference for m in there.metrics} == {m.metric: m.difference and -m.difference for m in back.metrics}
    assert (there.summary, there.equal_metrics) == (back.summary, back.equal_metrics)
    everything = {**first.metrics, **second.metrics}
    untimed = [name for name in everything if name != "seconds_per_epoch"]
    assert there.equal_metrics + sum(not m.timed for m in there.metrics) == len(untimed)
    for setting in there.settings:
        assert setting.a != setting.b


@given(RUNS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_a_run_does_not_differ_from_itself(tmp_path, made):
    record = RecordDecoder().decode(json.dumps(made).encode())
    found = compare_runs(record, record, (tmp_path, tmp_path))
    assert (found.settings, found.metrics, found.network, found.seconds) == ([], [], [], [])
    assert not any(found.environment.values())
    compared = bool(found.equal_metrics or found.metrics)
    assert found.summary == ("same settings, same bits" if compared else "same settings; there are no metrics to compare")


@given(CURVES, CURVES)
def test_curves_are_equal_up_to_where_they_part(a, b):
    for curve in compare_curves(a, b):
        first, second = a.get(curve.metric, []), b.get(curve.metric, [])
        assert repr(first[: curve.same]) == repr(second[: curve.same])
        assert curve.same == min(len(first), len(second)) or repr(first[curve.same]) != repr(second[curve.same])
        assert curve.is_equal == (repr(first) == repr(second))


@pytest.fixture
def root(tmp_path):
    other = with_path("b", run(1, "local", optimizer__lr=0.1, on_failure="stop"), versions={"python": "3.12", "torch": "2.6.0"})
    broken = with_path("broken", run(2), state="interrupted", metrics={}, git={"commit": "0" * 40, "dirty": True})
    kept(tmp_path, with_path("a", run(0)), other, broken)
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    return tmp_path


def test_what_differs_is_told_with_what_it_did(call, root):
    done = call("diff", "a", "b")
    assert (done.code, done.err) == (0, "")
    lines = [line.split() for line in done.out.splitlines()]
    for words in (
        ["A", "a:", "finished"],
        ["seed", "0", "1"],
        ["model.name", "conv", "local"],
        ["optimizer.lr", "0.01", "0.1"],
        ["on_failure", "not", "set", "stop"],
        ["python", "3.11", "3.12"],
        ["convexp", "0.1.0", "not", "set"],
        ["test/acc", "97.00", "%", "93.10", "%", "−3.90", "points"],
    ):
        assert words in lines
    assert "4 settings that can change a result differ, other versions, other results" in done.out


def test_a_copy_has_the_same_bits(call, root):
    done = call("diff", "a", "copy")
    assert (done.code, done.err) == (0, "")
    assert "same settings, same bits" in done.out
    assert "3 metrics are equal to the bit" in done.out
    metrics = "epoch,step,train/loss\n0,1,0.5\n1,2,0.25\n"
    (root / "a" / "metrics.csv").write_text(metrics)
    (root / "copy" / "metrics.csv").write_text(metrics.replace("0.25", "0.26"))
    done = call("diff", "a", "copy")
    assert "same settings, other results" in done.out
    (root / "copy" / "metrics.csv").unlink()
    assert "same settings, same bits, training curves of one run are missing" in call("diff", "a", "copy").out
    (root / "copy" / "metrics.csv").write_text(metrics.replace("0.25", "0.26"))
    assert ["train/loss", "0.25", "0.26", "1", "of", "2"] in [line.split() for line in done.out.splitlines()]


def test_notes_on_the_data_are_compared_one_by_one(call, root):
    for name, value in (("one", 1), ("two", 2)):
        kept(root, with_path(name, run(0), data={"images": value}))
    found = json.loads(call("diff", "one", "two", "--json").out)
    assert [(v["name"], v["a"], v["b"]) for v in found["environment"]["data"]] == [("notes.images", "1", "2")]


def test_an_unfinished_run_is_compared_as_far_as_it_is(call, root):
    found = json.loads(call("diff", "a", "broken", "--json").out)
    assert found["b"]["state"] == "interrupted"
    assert {m["metric"]: (m["a"], m["b"]) for m in found["metrics"]}["test/acc"] == (0.97, None)
    assert [v["name"] for v in found["environment"]["code"]] == ["commit", "dirty"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "RUN_B=b: holds no run that can be read: result.json is missing"),
        ("{", "RUN_B=b: holds no run that can be read: result.json is damaged: is not valid JSON"),
        ('{"format": 1, "state": "finished"}', "result.json is damaged: config: is missing"),
        ('{"format": 99, "state": "finished"}', "is of format 99, this convexp reads 1; upgrade convexp"),
    ],
)
def test_what_is_no_run_is_said_in_one_line(call, root, content, said):
    (root / "b" / "result.json").unlink()
    if content is not None:
        (root / "b" / "result.json").write_text(content)
    done = call("diff", "a", "b")
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert done.code == 2
    assert said in done.err


def test_what_to_do_with_folders_of_many_runs_is_said(call, root):
    done = call("diff", ".", "a")
    assert (done.code, done.out) == (2, "")
    assert "RUN_A=.: holds many runs; name one, such as a, or compare all: convexp-report ." in done.err
    for missing in ("nowhere", "a/result.json"):
        done = call("diff", "a", missing)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


def test_a_stranger_cannot_write_to_the_terminal(call, root):
    evil = with_path("evil", run(0), name="\x1b[2J", error="\x1b]0;x\x07", metrics={"test/\x1b[31m[bold]": 1.0})
    evil["config"]["model"]["name"] = "[red]\x1b[31m"
    evil["config"]["\x1b[31m[x]"] = "\x1b"
    evil["versions"]["\x9b"] = "\x1b"
    kept(root, evil)
    done = call("diff", "a", "evil")
    assert done.code == 0, done.err
    assert not any(c in done.out + done.err for c in "\x1b\x07\x9b")
    assert "[red]" in done.out
