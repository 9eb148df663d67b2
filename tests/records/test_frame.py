"""The table of all runs for a notebook."""

import pytest
from fabricated_runs import kept, run, with_path

from convexp.errors import ConfigError
from convexp.runs import load


def folder(root):
    kept(
        root,
        run(0),
        run(1, model__channels=[8, 16]),
        run(0, "local", data__shift__train=0.2),
        with_path("failed", run(2), state="failed", metrics={}, network={}),
    )
    return root


def test_a_row_for_every_run_with_what_differs_and_every_metric(tmp_path):
    frame = load(folder(tmp_path))
    assert list(frame.columns[:6]) == ["path", "state", "error", "seed", "model", "data"]
    assert list(frame.path) == ["conv-seed0", "conv-seed1", "failed", "local-seed0"]
    assert list(frame.state) == ["finished", "finished", "failed", "finished"]
    assert list(frame["data.shift.train"]) == [0, 0, 0, 0.2]
    assert {"parameters", "flops", "seconds", "test/acc", "probe/shift_map/mean"} <= set(frame.columns)
    assert frame["test/acc"].isna().tolist() == [False, False, True, False]
    assert not {"optimizer.lr", "name", "seed.1", "model.name"} & set(frame.columns)


def test_rows_can_be_grouped_by_settings_that_are_lists(tmp_path):
    frame = load(str(folder(tmp_path)))
    assert frame[frame["model.channels"] == "[8,16]"].path.tolist() == ["conv-seed1"]
    assert frame.groupby("model.channels").size().tolist() == [1]


def test_the_documented_example(tmp_path):
    runs = load(kept(tmp_path, *(run(s, m) for m in ("conv", "local") for s in (0, 1))))
    done = runs[runs.state == "finished"]
    assert done.groupby("model")["test/acc"].agg(["mean", "std", "count"]).loc["conv", "mean"] == pytest.approx(0.9705)
    assert done.pivot(index="seed", columns="model", values="probe/shift_map/mean").shape == (2, 2)


def test_a_damaged_run_has_a_row_and_adds_no_column(tmp_path):
    before = load(kept(tmp_path, run(0), run(1)))
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "result.json").write_text("")
    after = load(tmp_path)
    assert list(after.columns) == list(before.columns)
    assert after.state.tolist() == ["finished", "finished", "damaged"]
    assert after.error.isna().tolist() == [True, True, False]
    assert after.error[2] == "result.json is damaged: is not valid JSON"


def test_errors_are_those_of_the_report(tmp_path):
    with pytest.raises(ConfigError, match="no runs"):
        load(tmp_path)
    with pytest.raises(ConfigError, match="no such folder"):
        load(tmp_path / "none")
