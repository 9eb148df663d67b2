"""The curves and the maps of all runs for a notebook."""

import csv
import json
import os
import warnings

import numpy as np
import pytest
from conftest import read

from convexp import runs
from convexp.errors import ConfigError


@pytest.fixture
def two_runs(finished_run, tmp_path):
    finished_run("probe_every=1", folder="a")
    folder = finished_run("probe_every=1", folder="b")
    result = read(folder)
    result["config"]["optimizer"]["lr"] = 0.5
    (folder / "result.json").write_text(json.dumps(result))
    return tmp_path


def test_curves_are_what_the_run_logged(two_runs):
    table = runs.curves(two_runs)
    assert list(table.columns) == ["path", "state", "seed", "model", "data", "optimizer.lr", "epoch", "step", "metric", "value"]
    with (two_runs / "a" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    own = table[table.path == "a"]
    for metric in ("train/loss", "val/acc", "train/lr"):
        curve = own[own.metric == metric]
        assert curve.epoch.tolist() == [1, 2]
        assert curve.step.tolist() == [int(row["step"]) + 1 for row in rows if row["epoch"]]
        assert curve.value.tolist() == [float(row[metric]) for row in rows if row["epoch"]]
    measured = own[own.metric == "by_epoch/shift_map/mean"]
    expected = [(row["epoch"], row["step"], row["numbers"]["shift_map/mean"]) for row in read(two_runs / "a")["by_epoch"]]
    assert list(measured[["epoch", "step", "value"]].itertuples(index=False, name=None)) == expected
    assert [epoch for epoch, *_ in expected] == [0, 1, 2]
    assert not own.metric.str.startswith(("test/", "probe/", "best/", "parameters/")).any()
    assert table[table.metric == "val/acc"].groupby("optimizer.lr").size().tolist() == [2, 2]


def test_curves_while_a_run_has_no_record_of_what_was_measured(two_runs):
    """``by_epoch`` is recorded after the training; until then it is in ``metrics.csv``."""
    before = runs.curves(two_runs / "a")
    result = read(two_runs / "a")
    del result["by_epoch"]
    (two_runs / "a" / "result.json").write_text(json.dumps(result | {"state": "interrupted"}))
    after = runs.curves(two_runs / "a")
    assert set(after.state) == {"interrupted"}
    columns = ["epoch", "step", "metric", "value"]
    mine, theirs = (table[columns].sort_values(columns).reset_index(drop=True) for table in (after, before))
    assert mine.drop(columns="value").equals(theirs.drop(columns="value"))
    assert np.allclose(mine.value, theirs.value)


def test_maps_are_arrays_that_can_be_grouped_by_settings(two_runs):
    table = runs.maps(two_runs, "shift_map", "accuracy")
    assert list(table.columns) == ["path", "state", "seed", "model", "data", "optimizer.lr", "map"]
    expected = np.array(read(two_runs / "a")["probes"]["shift_map"]["maps"]["accuracy"])
    assert expected.shape == (3, 3)
    assert all(np.array_equal(found, expected) for found in table["map"])
    means = {model: np.mean(list(found), axis=0) for model, found in table.groupby("model")["map"]}
    assert np.array_equal(means["conv"], expected)


def test_a_map_that_no_run_has(two_runs):
    with pytest.raises(ConfigError, match=r"shift_map/acuracy: no run in .* there are .*shift_map/accuracy"):
        runs.maps(two_runs, "shift_map", "acuracy")
    with pytest.warns(UserWarning, match=": accounting/layers is no array"), pytest.raises(ConfigError, match="no run in"):
        runs.maps(two_runs, "accounting", "layers")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"step\n",
        b"\xff\xfe",
        b"step,x\n1,2,3\n",
        b"epoch,x\n1,2\n",
        b"step,x\none,2\n",
        b"step,x\n" + b"9" * 5000 + b",2\n",
        b"step,x\n" + b"9" * 30 + b",2\n",
        b"step,epoch,x\n1," + b"9" * 30 + b",2\n",
        b"step,x\n0,\x00\n",
        b'step,"\x1b[31m\nx"\n5,7\n',
        b"step,x\n1,nan\n2,1e999\n3,text\n",
    ],
)
def test_a_damaged_file_costs_the_curves_of_its_run_only(two_runs, content):
    whole = runs.curves(two_runs)
    (two_runs / "a" / "metrics.csv").write_bytes(content)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        table = runs.curves(two_runs)
    assert all("a/metrics.csv: cannot be read" in str(each.message) for each in said)
    kept, before = (each[each.path == "b"].reset_index(drop=True) for each in (table, whole))
    assert kept.equals(before)
    assert all(name.isprintable() for name in table.metric)


def test_a_pipe_is_not_waited_for(two_runs):
    (two_runs / "a" / "metrics.csv").unlink()
    os.mkfifo(two_runs / "a" / "metrics.csv")
    with pytest.warns(UserWarning, match="cannot be read"):
        runs.curves(two_runs)


@pytest.mark.parametrize("value", [[[1, 2], [3]], {"a": 1}, "text", [10**400], [["x"]]])
def test_damaged_maps_are_left_out(two_runs, value):
    result = read(two_runs / "a")
    result["probes"]["shift_map"]["maps"]["accuracy"] = value
    (two_runs / "a" / "result.json").write_text(json.dumps(result))
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        assert runs.maps(two_runs, "shift_map", "accuracy").path.tolist() == ["b"]


def test_damaged_records_are_left_out(two_runs):
    (two_runs / "a" / "result.json").write_text("{")
    assert runs.maps(two_runs, "shift_map", "accuracy").path.tolist() == ["b"]
    assert set(runs.curves(two_runs).state) == {"damaged", "finished"}
    (two_runs / "b" / "metrics.csv").unlink()
    assert set(runs.curves(two_runs / "b").metric.str.split("/").str[0]) == {"by_epoch"}


def test_errors_are_those_of_load(tmp_path):
    for function in (runs.curves, lambda folder: runs.maps(folder, "shift_map", "accuracy")):
        with pytest.raises(ConfigError, match="no such folder"):
            function(tmp_path / "none")
