"""Every logger is told the same of a finished run; W&B, MLflow, Aim and ClearML for real, where the extras are installed."""

import csv
import json
import shutil
import struct
import sys
from types import ModuleType, SimpleNamespace

import own_trackers
import pytest
from conftest import SMALL, read
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from convexp.config.checks import trackers
from convexp.config.schema import Target
from convexp.records import read_record
from convexp.tracking import kept_names
from convexp.tracking.final_metrics import TABLE_METRICS, final_metrics

SWEEP = ("-m", *SMALL, "hydra.sweep.dir=sweep", "hydra.sweep.subdir=${seed}", "seed=0,1")
DIARY = "+logger.diary={_target_:own_trackers.Diary,_partial_:true}"
DIVERGES = ("optimizer=sgd", "optimizer.lr=1e30")


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def same(found, folder):
    """Whether a logger knows the final metrics; TensorBoard keeps 32 bits of them."""
    expected = final_metrics(read_record(folder))
    assert {"test/acc", "best/val/acc", "probe/shift_map/mean", "parameters/total"} <= set(expected)
    return {name: found.get(name) for name in expected} == pytest.approx(expected, rel=1e-6)


def test_tensorboard_and_csv_know_the_same(small_run):
    folder = small_run("logger=[tensorboard,csv]")
    board = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    board.Reload()
    expected = final_metrics(read_record(folder))
    assert {tag: board.Scalars(tag)[-1].value for tag in TABLE_METRICS} == pytest.approx(
        {tag: expected[tag] for tag in TABLE_METRICS}, rel=1e-6
    )
    assert same({name: float(value) for name, value in rows(folder)[-1].items() if value}, folder)


def test_csv_keeps_one_row_per_epoch(small_run):
    found = rows(small_run("logger=csv", "trainer.max_epochs=3"))
    assert [row["epoch"] for row in found] == ["0", "1", "2"]
    assert [row["test/acc"] == "" for row in found] == [True, True, False]
    assert all(row["val/acc"] for row in found)


def test_csv_of_a_run_that_is_resumed_at_its_end(small_run, call):
    """A run that failed after its training trains no more; its rows stay, and the final metrics come once."""
    folder = small_run("logger=csv", "probes.shift_map.max_images=50")
    before = rows(folder)
    result = read(folder) | {"state": "failed"}
    (folder / "result.json").write_text(json.dumps(result))
    done = call("train", f"resume={folder}")
    assert done.code == 0, done.err
    after = rows(folder)
    assert [row["epoch"] for row in after] == [row["epoch"] for row in before]
    assert after[-1]["test/acc"] == before[-1]["test/acc"] != ""
    assert not any(row["test/acc"] for row in after[:-1])


def told(folder, kind):
    """What the tracker was told of a kind, with the name of the run."""
    lines = map(json.loads, (folder / own_trackers.FILE).read_text().splitlines())
    return [(line["run"], line[kind]) for line in lines if kind in line]


def test_a_tracker_has_the_settings_from_the_start(small_run):
    folder = small_run(DIARY)
    lines = (folder / own_trackers.FILE).read_text().splitlines()
    assert json.loads(lines[0])["settings"]["model"] == "conv"
    assert [*json.loads(lines[-1])] == ["run", "failed"]
    assert len(told(folder, "settings")) == 1  # and not once more at the end, as all are the same


def test_a_run_that_goes_on_is_the_same_in_its_tracker(small_run, call):
    folder = small_run(DIARY, "scheduler=none", "trainer.max_epochs=1")
    done = call("train", f"resume={folder}", "trainer.max_epochs=2")
    assert done.code == 0, done.err
    assert len({run for run, _ in told(folder, "failed")}) == 1
    assert [metrics["epoch"] for _, metrics in told(folder, "metrics") if "val/acc" in metrics] == [0, 1]
    assert [settings["with/epochs"] for _, settings in told(folder, "settings")] == [1, 2]


@pytest.mark.parametrize(
    "content", ['{"names": {"diary": "../elsewhere"}}', '{"names": {"diary": 3}}', '{"names": ["diary"]}', '["diary"]', "{"]
)
def test_a_name_that_no_tracker_gives_is_not_used(tmp_path, content):
    (tmp_path / kept_names.FILE).write_text(content)
    assert kept_names.kept_name(tmp_path, "diary", 3) is None
    kept_names.keep_name(tmp_path, "diary", "a-name")
    assert kept_names.kept_name(tmp_path, "diary", 3) == "a-name"
    assert kept_names.kept_name(tmp_path, "diary", None) is None  # a run that starts at the beginning is a new one


def test_a_copy_of_a_run_is_another_one_and_a_run_that_was_moved_is_not(tmp_path):
    run, copied, moved = (tmp_path / name for name in ("run", "copied", "moved"))
    run.mkdir()
    kept_names.keep_name(run, "diary", "first")
    shutil.copytree(run, copied)
    assert kept_names.kept_name(copied, "diary", 3) is None
    kept_names.keep_name(copied, "diary", "second")
    assert [kept_names.kept_name(folder, "diary", 3) for folder in (run, copied)] == ["first", "second"]
    run.rename(moved)
    assert kept_names.kept_name(moved, "diary", 3) == "first"


def test_the_opening_of_trackers_is_no_training(small_run):
    folder = small_run(DIARY, "trainer.max_epochs=1")
    assert read(folder)["metrics"]["seconds_per_epoch"] < own_trackers.SECONDS


def test_a_tracker_that_cannot_be_opened_is_named(call):
    done = call("train", *SMALL, "hydra.run.dir=run", "+logger.mine={_target_:own_trackers.Closed,_partial_:true}")
    assert done.code == 2
    assert "logger.mine (own_trackers.Closed): OSError: nobody answers" in done.err


@pytest.mark.parametrize("address", ["file:///runs", "runs"])
def test_a_folder_for_mlflow_is_refused_before_anything_is_written(call, tmp_path, monkeypatch, address):
    module = ModuleType("mlflow")
    module.environment_variables = SimpleNamespace(MLFLOW_ALLOW_FILE_STORE=SimpleNamespace(get=lambda: False))
    monkeypatch.setitem(sys.modules, "mlflow", module)
    done = call("train", *SMALL, "logger=mlflow", f"logger.mlflow.tracking_uri={address}", "hydra.run.dir=run")
    assert done.code == 2
    assert f"logger.mlflow.tracking_uri={address}: should be a database, sqlite:///FILE" in done.err
    assert "MLFLOW_ALLOW_FILE_STORE=true" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["sqlite", "postgresql+psycopg2", "mysql", "https", "databricks"])
def test_addresses_that_mlflow_knows(scheme):
    target = Target.model_validate({"_target_": trackers.MLFLOW, "tracking_uri": f"{scheme}://somewhere"})
    trackers.check_tracking_uri(SimpleNamespace(logger={"mlflow": target}))


@pytest.fixture
def mlflow_runs(tmp_path):
    """What MLflow kept below the test's folder, by seed."""
    mlflow = pytest.importorskip("mlflow")

    def runs():
        client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/outputs/mlflow.db")
        experiment = client.get_experiment_by_name("convexp")
        return {run.data.params.get("seed"): run for run in client.search_runs([experiment.experiment_id])}

    return runs


def records(file):
    """What a file of W&B holds: LevelDB's log format behind 7 bytes of its own, in blocks of 32 KiB."""
    content, at, parts = file.read_bytes(), 7, []
    while at + 7 <= len(content):
        if at % 32768 > 32768 - 7:  # no room for a header: the block is filled up
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", content, at)
        parts.append(content[at + 7 : at + 7 + length])
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield b"".join(parts)
            parts = []


@pytest.fixture
def wandb_runs(tmp_path):
    """What W&B kept of the runs of the sweep: the last value of every metric, the settings, the exit code; by folder."""
    pytest.importorskip("wandb")
    from wandb.proto.wandb_internal_pb2 import Record

    def values(items):
        return {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}

    def run(file):
        metrics, settings, codes = {}, {}, []
        for record in map(Record.FromString, records(file)):
            metrics |= values(record.history.item)
            settings |= values(record.config.update) | values(record.run.config.update)
            codes += [record.exit.exit_code] if record.HasField("exit") else []
        return metrics, settings, codes

    return lambda: {file.parts[-4]: run(file) for file in tmp_path.glob("sweep/*/wandb/offline-run-*/*.wandb")}


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_mlflow_knows_the_same(program, tmp_path, mlflow_runs):
    done = program("train", *SWEEP, "logger=[csv,mlflow]", cwd=tmp_path)
    assert done.code == 0, done.err
    found = mlflow_runs()
    assert set(found) == {"0", "1"}
    for seed, run in found.items():
        assert same(run.data.metrics, tmp_path / "sweep" / seed)
        assert run.info.status == "FINISHED"
        assert run.data.params["model"] == "conv"
    assert len({run.data.params["group"] for run in found.values()}) == 1


@pytest.mark.filterwarnings("ignore")
def test_mlflow_knows_which_runs_failed(program, tmp_path, mlflow_runs):
    assert program("train", *SWEEP, *DIVERGES, "logger=mlflow", cwd=tmp_path).code == 1
    found = mlflow_runs()
    assert {run.info.status for run in found.values()} == {"FAILED"}
    assert set(found) == {"0", "1"}  # seeds: the settings are there from the start


@pytest.mark.filterwarnings("ignore")
def test_a_run_that_goes_on_is_one_run_of_mlflow(program, tmp_path, mlflow_runs):
    import mlflow

    run = (*SMALL, "logger=mlflow", "scheduler=none", "trainer.max_epochs=1", "hydra.run.dir=run")
    assert program("train", *run, cwd=tmp_path).code == 0
    done = program("train", "resume=run", "trainer.max_epochs=2", cwd=tmp_path)
    assert done.code == 0, done.err
    (found,) = mlflow_runs().values()
    assert found.info.status == "FINISHED"
    assert (found.data.params["with/epochs"], found.data.tags["with/epochs"]) == ("1.0", "2.0")  # a setting stays as it was
    history = mlflow.MlflowClient(f"sqlite:///{tmp_path}/outputs/mlflow.db").get_metric_history(found.info.run_id, "train/loss")
    assert len({point.step for point in history}) == len(history) == 2


@pytest.mark.filterwarnings("ignore")
def test_a_run_that_mlflow_has_lost_begins_anew_there(program, tmp_path, mlflow_runs):
    run = (*SMALL, "logger=mlflow", "scheduler=none", "trainer.max_epochs=1", "hydra.run.dir=run")
    assert program("train", *run, cwd=tmp_path).code == 0
    (tmp_path / "outputs/mlflow.db").unlink()
    done = program("train", "resume=run", "trainer.max_epochs=2", cwd=tmp_path)
    assert done.code == 0, done.err
    assert [run.data.params["with/epochs"] for run in mlflow_runs().values()] == ["2.0"]


@pytest.mark.filterwarnings("ignore")
def test_wandb_offline_knows_the_same(program, tmp_path, wandb_runs):
    done = program("train", *SWEEP, "logger=[csv,wandb]", cwd=tmp_path)
    assert done.code == 0, done.err
    found = wandb_runs()
    assert set(found) == {"0", "1"}
    for seed, (metrics, settings, codes) in found.items():
        assert same(metrics, tmp_path / "sweep" / seed)
        assert settings["seed"] == int(seed)
        assert settings["model"] == "conv"
        assert codes == [0]


@pytest.mark.filterwarnings("ignore")
def test_wandb_knows_which_runs_failed(program, tmp_path, wandb_runs):
    assert program("train", *SWEEP, *DIVERGES, "logger=wandb", cwd=tmp_path).code == 1
    assert [codes for *_, codes in wandb_runs().values()] == [[1], [1]]


@pytest.mark.filterwarnings("ignore")
def test_a_run_that_goes_on_is_one_run_of_wandb(program, tmp_path):
    pytest.importorskip("wandb")
    run = (*SMALL, "logger=wandb", "scheduler=none", "trainer.max_epochs=1", "hydra.run.dir=run")
    assert program("train", *run, cwd=tmp_path).code == 0
    done = program("train", "resume=run", "trainer.max_epochs=2", cwd=tmp_path)
    assert done.code == 0, done.err
    parts = [file.name for file in tmp_path.glob("run/wandb/offline-run-*/*.wandb")]
    assert len(parts) == 2
    assert len(set(parts)) == 1  # both have the name of one run, and "wandb sync" joins them


@pytest.fixture
def aim_runs(tmp_path):
    """The runs that Aim kept below the test's folder."""
    aim = pytest.importorskip("aim")
    from aim.sdk.index_manager import RepoIndexManager

    def runs():
        repo = aim.Repo.from_path(str(tmp_path / "outputs"))
        for name in repo.list_all_runs():
            RepoIndexManager(repo).index(name)  # as "aim up" does
        return list(repo.iter_runs())

    return runs


@pytest.fixture
def clearml_runs(tmp_path):
    """What ClearML kept of the runs of the sweep: the settings, the last value of every metric, the tags; by folder."""
    pytest.importorskip("clearml")

    def run(folder):
        task = json.loads((folder / "task.json").read_text())
        settings = {p["name"]: p["value"] for p in task["hyperparams"]["General"].values()}
        events = [event for line in (folder / "metrics.jsonl").read_text().splitlines() for event in json.loads(line)]
        metrics = {"/".join(filter(None, (e["metric"], e["variant"]))): e["value"] for e in events if "value" in e}
        return settings, metrics, task["tags"]

    return lambda: {folder.parts[-4]: run(folder) for folder in tmp_path.glob("sweep/*/clearml/offline/*/")}


@pytest.mark.filterwarnings("ignore")
def test_aim_knows_the_same(program, tmp_path, aim_runs):
    done = program("train", *SWEEP, "logger=[csv,aim]", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    found = {run["hparams"]["seed"]: run for run in aim_runs()}
    assert set(found) == {0, 1}
    for seed, run in found.items():
        assert same({metric.name: metric.values.last()[1] for metric in run.metrics()}, tmp_path / "sweep" / str(seed))
        assert (run["hparams"]["model"], run["state"], run.active) == ("conv", "finished", False)
    assert len({run["hparams"]["group"] for run in found.values()}) == 1


@pytest.mark.filterwarnings("ignore")
def test_aim_knows_which_runs_failed(program, tmp_path, aim_runs):
    assert program("train", *SWEEP, *DIVERGES, "logger=aim", cwd=tmp_path).code == 1
    assert [(run["state"], run.active) for run in aim_runs()] == 2 * [("failed", False)]


@pytest.mark.filterwarnings("ignore")
def test_a_run_that_goes_on_is_one_run_of_aim_unless_that_is_lost(program, tmp_path, aim_runs):
    run = (*SMALL, "logger=aim", "scheduler=none", "trainer.max_epochs=1", "hydra.run.dir=run")
    assert program("train", *run, cwd=tmp_path).code == 0
    assert program("train", "resume=run", "trainer.max_epochs=2", cwd=tmp_path).code == 0
    (found,) = aim_runs()
    assert (found["hparams"]["with/epochs"], found["state"], found.active) == (2, "finished", False)
    kept_names.keep_name(tmp_path / "run", "aim", "lost")
    done = program("train", "resume=run", "trainer.max_epochs=3", cwd=tmp_path)
    assert done.code == 0, done.err
    assert kept_names.kept_name(tmp_path / "run", "aim", 1) not in ("lost", found.hash)


@pytest.mark.filterwarnings("ignore")
def test_clearml_offline_knows_the_same(program, tmp_path, clearml_runs):
    done = program("train", *SWEEP, "logger=[csv,clearml]", cwd=tmp_path)
    assert done.code == 0, done.err
    found = clearml_runs()
    assert set(found) == {"0", "1"}
    for seed, (settings, metrics, tags) in found.items():
        assert same(metrics, tmp_path / "sweep" / seed)
        assert (settings["model"], settings["seed"]) == ("conv", seed)
        assert settings["group"] in tags
    assert len({settings["group"] for settings, *_ in found.values()}) == 1
