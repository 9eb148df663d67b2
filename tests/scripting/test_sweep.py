"""``convexp.sweep``: the command ``convexp-train -m`` as a function."""

import json
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from conftest import read
from hydra.core.plugins import Plugins
from outcomes import same, science, weights
from test_train import own_state, state

import convexp
from convexp import runs
from convexp.errors import ConfigError
from convexp.reporting import charts

TINY = (
    "trainer=cpu",
    "trainer.threads=1",
    "trainer.max_epochs=1",
    "model.channels=[1,1]",
    "data.train_size=64",
    "probes=none",
    "logger=csv",
)


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(charts, "draw_charts", lambda report: [])  # they take seconds


def test_the_sweep_is_that_of_the_command_and_the_process_is_unchanged(call, tmp_path, capsys):
    grid = (*TINY, "model=local", "optimizer.lr=0.01,1e30", "scheduler=none")
    assert call("train", "-m", *grid, "hydra.sweep.dir=command").code == 1  # the run with the large rate fails
    capsys.readouterr()
    with own_state():
        before = state()
        table = convexp.sweep(*grid, folder="function", processes=1, progress=False)
        assert {key for key, value in state().items() if value != before[key]} == set()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("loss is not finite") == 1
    assert table.drop(columns="seconds").equals(runs.load("function").drop(columns="seconds"))
    assert dict(zip(table.path, table.state, strict=True)) == {"lr0.01": "finished", "lr1e+30": "failed"}
    assert table.error.str.contains("not finite").sum() == 1
    assert table.groupby("optimizer.lr")["test/acc"].count().tolist() == [1, 0]
    for name in table.path[table.state == "finished"]:
        mine, theirs = tmp_path / "function" / name, tmp_path / "command" / name
        assert science(read(mine)) == science(read(theirs))
        assert same(weights(mine), weights(theirs))
    plans = [json.loads((tmp_path / each / "study.json").read_text()) for each in ("function", "command")]
    assert plans[0]["runs"] == plans[1]["runs"]
    assert "-m" in plans[0]["command"]
    assert (tmp_path / "function" / "report.html").is_file()

    times = {name: (tmp_path / "function" / name / "result.json").stat().st_mtime_ns for name in table.path}
    convexp.sweep(*grid, folder="function", processes=1)
    assert "1 already finished, 1 failed, to be retried" in capsys.readouterr().out
    for name in table.path:
        again = (tmp_path / "function" / name / "result.json").stat().st_mtime_ns
        assert (again == times[name]) == name.endswith("0.01")


def test_the_dashboard_is_watched_until_the_runs_are_done(tmp_path, monkeypatch):
    alive = []

    class Sweeper:
        def sweep(self, arguments):
            alive.append([thread.name for thread in threading.enumerate()].count("dashboard"))
            raise KeyboardInterrupt

    monkeypatch.setattr(Plugins, "instantiate_sweeper", lambda self, **settings: Sweeper())
    with pytest.raises(KeyboardInterrupt):
        convexp.sweep(*TINY, "seed=0,1", folder="sweep", processes=1, progress=False)
    assert alive == [1]
    assert "dashboard" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.integration
def test_a_study_of_ones_own_counts(tmp_path):
    study = "# @package _global_\ndefaults: [base, _self_]\nstudy: {name: mine, question: Which one, grid: {seed: [3, 4]}}\n"
    (tmp_path / "conf" / "study").mkdir(parents=True)
    (tmp_path / "conf" / "study" / "mine.yaml").write_text(study)
    table = convexp.sweep("study=mine", "only_costs=true", config_dir="conf", processes=1, progress=False)
    assert table.seed.tolist() == [3, 4]
    assert table["cost/parameters"].notna().all()
    assert (tmp_path / "outputs" / "studies" / "mine" / "seed3" / "result.json").is_file()


@pytest.mark.parametrize(
    ("overrides", "settings", "said"),
    [
        (["model=locl,conv"], {}, "model=locl: there is no such option"),
        (["data.batch_size=0,-1"], {}, "data.batch_size=0: should be greater than 0"),
        (["resume=run"], {}, "resume: resumes a single run"),
        (["seed=0,1"], {"processes": 0}, "hydra.launcher.processes=0: should be a whole number"),
        (["seed=0,1"], {"folder": "."}, "hydra.sweep.dir=.: is the folder you are in"),
        (["study=three_layer"], {}, "study=three_layer: there is no such option"),
    ],
)
def test_a_wrong_setting_is_one_line_and_nothing_is_written(overrides, settings, said, tmp_path):
    before = state()
    with pytest.raises(ConfigError) as error:
        convexp.sweep(*overrides, **settings)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
    assert {key for key, value in state().items() if value != before[key]} == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
def test_ctrl_c_ends_the_sweep_and_the_same_call_resumes_it(interrupted_at, tmp_path):
    grid = (*TINY, "seed=0,1", "trainer.max_epochs=2")
    with suppress(KeyboardInterrupt), interrupted_at(epoch=1, batch=0):
        convexp.sweep(*grid, folder="sweep", processes=1, progress=False)
        pytest.fail("was not interrupted")
    assert runs.load("sweep").state.tolist() == ["interrupted"]
    assert convexp.sweep(*grid, folder="sweep", processes=1, progress=False).state.tolist() == ["finished"] * 2


SCRIPT = """
import os
import __main__
import convexp

def sweep(folder):
    return convexp.sweep("only_costs=true", "model=conv,local", processes=2, progress=False, folder=folder).state.tolist()

print(sweep("without"))
__main__.__file__ = os.path.abspath("script.py")  # now it is as if this was run as a script without a guard
print(sweep("with"))
"""


@pytest.mark.e2e
def test_processes_start_where_there_is_no_file_and_from_a_script_without_guard(tmp_path):
    (tmp_path / "script.py").write_text("open('was run again', 'w')")
    done = subprocess.run(
        [sys.executable, "-"], input=SCRIPT, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [str(["finished"] * 2)] * 2
    assert not (tmp_path / "was run again").exists()
