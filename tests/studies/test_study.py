"""Sweeps and studies: run, failed, started again, reported."""

import csv
import os
import re
import shutil
import time

import pytest
from conftest import ROOT, SMALL, read

from convexp.config.schema import Study
from convexp.errors import ConfigError
from convexp.records.plan import read_plan
from convexp.studies.study import expand

SWEEP = ("-m", *SMALL, "probes=shift_map", "hydra.sweep.dir=sweep", "hydra.sweep.subdir=${model.name}-${seed}")


def test_sweep_ends_with_its_table(call, tmp_path):
    done = call("train", *SWEEP, "model=conv,local", "seed=0,1")
    assert done.code == 0, done.err
    for word in ("conv", "local", "parameters", "–", "convexp-dashboard sweep"):
        assert word in done.out
    with (tmp_path / "sweep" / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["wiring"], row["n"]) for row in rows] == [("conv", "2"), ("local", "2")]
    values = [read(tmp_path / "sweep" / f"conv-{seed}")["metrics"]["test/acc"] for seed in (0, 1)]
    assert float(rows[0]["test/acc mean"]) == pytest.approx(sum(values) / 2)
    assert {"report.html", "summary.md", "summary.csv", "summary.tex", "runs.csv", "comparisons.csv"} <= {
        f.name for f in (tmp_path / "sweep").iterdir()
    }
    again = call("report", "sweep")
    assert again.code == 0
    assert again.out.splitlines()[:8] == done.out.splitlines()[5:13]  # after the plan and a line for each run


def test_failed_run_takes_no_other_with_it(call, tmp_path):
    done = call("train", *SWEEP, "optimizer=sgd", "optimizer.lr=1e30,0.1", "hydra.sweep.subdir=${hydra.job.num}")
    assert done.code == 1
    assert read(tmp_path / "sweep" / "0")["state"] == "failed"
    assert read(tmp_path / "sweep" / "1")["state"] == "finished"
    assert "optimizer.lr" in done.err
    assert "0: failed" in done.out


def test_a_sweep_that_grows_by_an_axis_goes_on_with_the_runs_that_it_has(call, tmp_path):
    """Its folders have other names then; those that are there keep theirs."""
    quick = ("-m", *SMALL, "probes=shift_map", "hydra.sweep.dir=sweep")
    assert call("train", *quick, "seed=0").code == 0
    (first,) = [run.folder for run in read_plan(tmp_path / "sweep").runs]
    before = (tmp_path / "sweep" / first / "result.json").read_bytes()
    for more, wanted in (
        (["seed=0,1"], "2 runs in sweep: 1 already finished, 1 new"),
        (["seed=0,1", "model=local,conv"], "4 runs in sweep: 2 already finished, 2 new"),
        (["seed=0,1"], "2 runs in sweep: 2 already finished"),
    ):
        done = call("train", *quick, *more)
        assert done.code == 0, done.err
        assert wanted in done.out
        assert "are not counted" not in done.out + done.err
    folders = {run.folder for run in read_plan(tmp_path / "sweep").runs}
    assert folders == {first, "seed1", "local-seed0", "local-seed1"}
    assert (tmp_path / "sweep" / first / "result.json").read_bytes() == before


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_number_that_is_not_finite_is_one_wrong_run(value, call, tmp_path):
    done = call("train", "-m", *SMALL, "probes=shift_map", "hydra.sweep.dir=sweep", f"optimizer.lr=0.1,{value}")
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert f"optimizer.lr={value}: should be a finite number" in done.err
    assert [run.point for run in read_plan(tmp_path / "sweep").runs] == [{"optimizer.lr": 0.1}, {"optimizer.lr": value}]


def test_wrong_setting_of_one_run_is_exit_code_2(call, tmp_path):
    done = call("train", *SWEEP, "model.kernel_size=3,4", "hydra.sweep.subdir=${hydra.job.num}")
    assert done.code == 2
    assert read(tmp_path / "sweep" / "0")["state"] == "finished"
    assert read(tmp_path / "sweep" / "1")["state"] == "failed"
    done = call("train", *SWEEP, "model.kernel_size=3,5", "hydra.sweep.subdir=${hydra.job.num}")
    assert done.code == 0, done.err
    assert "1 already finished, 1 failed, to be retried (1)" in done.out
    assert read(tmp_path / "sweep" / "1")["state"] == "finished"


def test_study_with_other_settings_does_not_pass_off_old_results(call, tmp_path):
    assert call("train", *SWEEP).code == 0
    before = read(tmp_path / "sweep" / "conv-0")
    done = call("train", *SWEEP, "optimizer.lr=0.1")
    assert done.code == 2
    assert "sweep: holds conv-0 with other settings (optimizer.lr=0.004, now 0.1)" in done.err
    assert done.err.count("\n") == 1
    assert read(tmp_path / "sweep" / "conv-0") == before
    assert call("train", *SWEEP).code == 0  # and it is no news the next time


def test_crash_before_the_start_is_noted(call, tmp_path, monkeypatch):
    from convexp.execution import setup

    plan = setup.plan_network
    monkeypatch.setattr(setup, "plan_network", lambda config: 1 / 0 if config.seed == 0 else plan(config))
    done = call("train", *SWEEP, "seed=0,1")
    assert done.code == 1
    assert "Traceback" in read(tmp_path / "sweep" / "conv-0")["error"]
    assert read(tmp_path / "sweep" / "conv-1")["state"] == "finished"


def test_crash_is_noted_with_its_traceback_and_the_others_go_on(call, tmp_path, monkeypatch):
    from convexp.probes.behaviour.shift_map import ShiftMap

    measure = ShiftMap.measure
    monkeypatch.setattr(ShiftMap, "measure", lambda self, *a: 1 / 0 if self.max_shift == 2 else measure(self, *a))
    done = call("train", *SWEEP, "probes.shift_map.max_shift=2,1", "hydra.sweep.subdir=${hydra.job.num}")
    assert done.code == 1
    assert "Traceback" in read(tmp_path / "sweep" / "0")["error"]
    assert read(tmp_path / "sweep" / "1")["state"] == "finished"
    assert "Traceback" not in done.err
    assert "ZeroDivisionError" in done.err


def test_three_layers_study_compares_the_same_hidden_units(call, tmp_path):
    tiny = ("trainer.max_epochs=1", "model.channels=[2,2]", "seed=0,1")
    done = call("train", "study=three_layers", *tiny)
    assert done.code == 0, done.err
    folder = tmp_path / "outputs" / "studies" / "three_layers"
    runs = {m: read(folder / f"{m}-readout_flatten-stride2-seed0") for m in ("dense", "local", "conv")}
    shapes = {m: [layer["output_shape"] for layer in run["network"]["layers"]] for m, run in runs.items()}
    assert shapes["dense"] == shapes["local"] == shapes["conv"]
    parameters = [run["network"]["parameters"] for run in runs.values()]
    assert parameters == sorted(parameters, reverse=True)
    assert len({run["data"]["checksum"] for run in runs.values()}) == 1
    again = call("train", "study=three_layers", *tiny)
    assert again.code == 0
    assert "three_layers: 10 runs in outputs/studies/three_layers: 10 already finished" in again.out


def test_report_says_what_is_missing(call, tmp_path):
    assert call("train", *SWEEP, "seed=0,1").code == 0
    (tmp_path / "sweep" / "conv-1" / "result.json").write_text("{")
    done = call("report", "sweep")
    assert done.code == 0
    assert "conv-1: damaged" in done.out
    assert "conv-1: damaged" in (tmp_path / "sweep" / "summary.md").read_text()
    shutil.rmtree(tmp_path / "sweep" / "conv-1")
    assert "damaged" not in call("report", "sweep").out


def test_report_needs_no_torch(finished_run, program, tmp_path):
    finished_run()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "torch.py").write_text("raise SystemExit('torch was imported')")
    done = program("report", "run", cwd=tmp_path, fresh=True, PYTHONPATH=str(tmp_path / "lib"))
    assert done.code == 0, done.err
    assert "conv" in done.out


STUDIES = sorted({file.stem for file in (ROOT / "conf" / "study").glob("*.yaml")} - {"none", "base"})


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_has_runs_that_build_and_says_what_it_is(study, call, tmp_path, data_dir, monkeypatch):
    """All are well configured, and all networks can be built; the command in its header is the one that starts it."""
    monkeypatch.setattr("convexp.reporting.charts.draw_charts", lambda report: [])  # they take seconds, and have tests
    text = (ROOT / "conf" / "study" / f"{study}.yaml").read_text()
    assert re.search(rf"^#   convexp-train study={study}\b", text, re.MULTILINE)
    done = call("train", f"study={study}", "seed=0", "dry_run=true")
    assert done.code == 0, done.err
    one_size = ["data.train_size=64"] if "data.train_size:" in text else []  # networks are the same for every number of images
    done = call("train", f"study={study}", "seed=0", "only_costs=true", *one_size)
    assert done.code == 0, done.err
    runs = read_plan(tmp_path / "outputs" / "studies" / study).runs
    assert len(runs) > 2
    assert all(read(tmp_path / "outputs" / "studies" / study / run.folder)["state"] == "finished" for run in runs)


@pytest.mark.parametrize("paper", sorted(file.stem for file in (ROOT / "conf" / "study" / "paper").glob("*.yaml")))
def test_every_study_of_a_paper_has_runs_that_are_well_configured(paper, call, tmp_path, data_dir):
    """Without building networks or reading data; tests/scripts/test_literature_page.py has their claims."""
    done = call("train", f"study=paper/{paper}", "seed=0", "dry_run=true")
    assert done.code == 0, done.err
    assert "would run" in done.out
    assert list(tmp_path.iterdir()) == []


def test_image_size_needs_a_billion_weights_for_a_thousand_dense_units(call, tmp_path):
    done = call("train", "study=image_size", "data.canvas=8,1000")
    assert done.code == 0, done.err
    root = tmp_path / "outputs" / "studies" / "image_size"
    wirings = {"mlp": "mlp-readout_flatten-hidden1000", "conv": "conv-readout_global_avg-hidden_"}
    names = {f"{name}-canvas{size}": f"{start}-canvas{size}" for name, start in wirings.items() for size in (8, 1000)}
    cost = {run: read(root / folder)["metrics"] for run, folder in names.items()}
    assert cost["mlp-canvas1000"]["cost/parameters"] == 1000 * 1000**2 + 1000 + 10 * 1000 + 10
    assert cost["mlp-canvas8"]["cost/parameters"] == 1000 * 8**2 + 1000 + 10 * 1000 + 10
    assert (
        cost["conv-canvas1000"]["cost/parameters"]
        == cost["conv-canvas8"]["cost/parameters"]
        == 26 * 16 + (16 * 9 + 1) * 32 + 330
    )
    assert cost["conv-canvas8"]["cost/activation_bytes"] == 4 * (64 + 16 * 16 + 32 * 4 + 10)
    assert cost["conv-canvas8"]["cost/flops"] == 2 * (16 * 16 * 25 + 4 * 32 * 16 * 9 + 320)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            ["study=three_leyers"],
            "study=three_leyers: there is no such option; did you mean study=three_layers? There are anti_aliasing, border",
        ),
        (["study=base"], "study=base: only holds what the options of study share; choose one of anti_aliasing, border"),
        (["-m", "study=three_layers,low_rank"], "study: is the same for all runs of a sweep"),
        (["study=four_corners", "~study.grid.model", "~study.grid.seed"], "study.grid={}: is empty"),
        (["study=three_layers", "study.grid.model=[]"], "study.grid: model has no values"),
        (["study=three_layers", "study.exclude=[{model:[dense,local,conv]}]"], "study.exclude: leaves no run"),
        (["study=three_layers", "study.exclude=[{model:mlp}]"], "no point of the grid is like this"),
        (["study=four_corners", "study.compare={model:mlp}"], "study.compare: model=mlp: is no value of study.grid"),
        (
            ["study=three_layers", "~study.compare", "+study.compare={optimizer.lr:1}"],
            "study.compare: optimizer.lr is on no axis",
        ),
        (["study=three_layers", "study.question=''"], "study.question="),
        (["study=three_layers", "seed=-1,-2"], "seed=-1: should be greater than or equal to 0"),
        (["study=three_layers", "model.kernel_sise=3,5"], "model.kernel_sise: there is no such setting"),
        (["study=border", "model.padding=valid"], "model.padding: changes together with others in this study"),
        (["-m", "seed=0,1", "hydra.sweep.subdir=same"], "would share the folder same"),
        (["-m", "outputs=a,b"], "outputs: is the same for all runs of a sweep"),
        (["-m", "pythonpath=[.],[..]"], "pythonpath: is the same for all runs of a sweep"),
        (["-m", "model=glob(c*)"], "name the values"),
        (["-m", "seed=0,1", "on_failure=halt"], "on_failure=halt: should be 'continue' or 'stop'"),
    ],
)
def test_a_study_that_cannot_be_gets_one_line_and_writes_nothing(call, tmp_path, overrides, words, data_dir):
    done = call("train", *overrides)
    assert done.code == 2
    assert words in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_grows_keeps_what_it_has(call, tmp_path):
    tiny = ("study=three_layers", "trainer.max_epochs=1", "model.channels=[2,2]", "model=conv,local")
    assert call("train", *tiny, "seed=0").code == 0
    done = call("train", *tiny, "seed=0,1")
    assert done.code == 0, done.err
    assert "4 already finished, 4 new" in done.out
    plan = read_plan(tmp_path / "outputs" / "studies" / "three_layers")
    assert plan.axes["seed"] == [0, 1]
    assert len(plan.runs) == 8


def test_a_report_is_of_what_is_there_whatever_the_times_of_its_files(call, tmp_path):
    """As after a copy, or where two clocks differ: a page from the future is no newer than a run that has just ended."""
    page = tmp_path / "sweep" / "report.html"
    sweep = ("-m", "only_costs=true", "hydra.sweep.dir=sweep")
    assert call("train", *sweep, "seed=0,1").code == 0
    future = time.time() + 7200
    for file in page.parent.iterdir():
        os.utime(file, (future, future))
    assert call("train", *sweep, "seed=0,1").code == 0
    assert page.stat().st_mtime == pytest.approx(future)  # nothing has changed: not drawn again
    assert call("train", *sweep, "seed=0,1,2").code == 0
    assert "3 finished runs" in page.read_text()
    assert len((page.parent / "runs.csv").read_text().splitlines()) == 1 + 3
    page.unlink()
    assert call("train", *sweep, "seed=0,1,2").code == 0
    assert "3 finished runs" in page.read_text()


def test_a_wrong_point_that_is_mended_leaves_no_trace_in_the_exit_code(call):
    assert call("train", *SWEEP, "model.kernel_size=3,4", "hydra.sweep.subdir=k${model.kernel_size}").code == 2
    done = call("train", *SWEEP, "model.kernel_size=3,5", "hydra.sweep.subdir=k${model.kernel_size}")
    assert done.code == 0, done.err


def test_data_that_has_gone_is_a_wrong_setting_and_no_result_is_lost(call, tmp_path, data_dir, monkeypatch):
    sweep = ("-m", *SMALL, "hydra.sweep.dir=sweep", "data=digits,mnist", "only_costs=true")
    monkeypatch.setenv("CONVEXP_DATA", str(data_dir))
    assert call("train", *sweep).code == 0
    before = read(tmp_path / "sweep" / "mnist")
    monkeypatch.setenv("CONVEXP_DATA", str(tmp_path / "nowhere"))
    done = call("train", *sweep)
    assert done.code == 2
    assert "1 already finished, 1 with wrong settings (mnist)" in done.out
    assert read(tmp_path / "sweep" / "mnist") == before


def test_a_report_that_fails_is_no_success(call, monkeypatch):
    from convexp.studies import callback

    monkeypatch.setattr(callback, "print_report", lambda found: 1 / 0)
    done = call("train", *SWEEP, "only_costs=true")
    assert done.code == 1
    assert "the report failed (ZeroDivisionError" in done.err


def test_stop_is_heard_wherever_the_runs_work(call, tmp_path):
    sweep = ("-m", *SMALL, "hydra.sweep.dir=sweep", "model.kernel_size=4,3", "on_failure=stop", "hydra.job.chdir=true")
    done = call("train", *sweep)
    assert done.code == 1
    assert not (tmp_path / "sweep" / "kernel_size3" / "result.json").exists()


def test_folders_may_be_named_after_what_was_told(call, tmp_path):
    named = "hydra.sweep.subdir=${hydra.job.override_dirname}"
    done = call("train", "-m", "only_costs=true", "seed=0,1", "hydra.sweep.dir=sweep", named)
    assert done.code == 0, done.err
    assert {f.name for f in (tmp_path / "sweep").glob("only*")} == {"only_costs=true,seed=0", "only_costs=true,seed=1"}


def test_folders_in_folders_have_one_study(call, tmp_path):
    sweep = ("-m", *SMALL, "hydra.sweep.dir=sweep", "model=conv,local", "seed=0,1", "hydra.sweep.subdir=${model.name}/s${seed}")
    done = call("train", *sweep)
    assert done.code == 0, done.err
    assert "4/4 local/s1: test accuracy" in done.out
    assert list((tmp_path / "sweep").glob("events.out.tfevents.*"))
    assert not list((tmp_path / "sweep" / "conv").glob("events.out.tfevents.*"))


@pytest.mark.unit
def test_a_baseline_may_be_of_any_grid():
    grids = [{"model": ["conv"], "seed": [0, 1]}, {"model": ["local"], "seed": [0, 1]}]
    for baseline in ("conv", "local"):
        assert len(expand(Study(name="s", question="?", grid=grids, compare={"model": baseline}), []).points) == 4
    with pytest.raises(ConfigError, match=r"model=dense: is no value of study\.grid"):
        expand(Study(name="s", question="?", grid=grids, compare={"model": "dense"}), [])


def test_grids_may_overlap_and_leave_points_out():
    grids = [{"model": ["conv", "local"], "seed": [0, 1]}, {"model": ["local", "dense"], "seed": [1, 2]}]
    study = Study(name="s", question="?", grid=grids, exclude=[{"model": "dense", "seed": [2]}, {"model": "conv", "seed": 1}])
    grid, points, constant = expand(study, ["match=units"])
    values = [tuple(axis.value(row) for axis, row in point) for point in points]
    assert values == [("conv", 0), ("local", 0), ("local", 1), ("local", 2), ("dense", 1)]
    assert [axis.key for axis in grid] == ["model", "seed"]
    assert constant == ["match=units"]
