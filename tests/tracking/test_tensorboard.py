"""What runs leave for TensorBoard, read back."""

import json
import os
from collections import defaultdict

import pytest
from conftest import SMALL, read
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as custom_scalar
from tensorboard.plugins.hparams import api_pb2, metadata

from convexp.reporting import charts
from convexp.tracking.final_metrics import TABLE_METRICS
from convexp.tracking.hparams_table import FILE, write_columns
from convexp.tracking.tensorboard import TensorBoard


def events(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    accumulator.Reload()
    return accumulator


class Table:
    """The HParams table below a folder, as TensorBoard reads it."""

    def __init__(self, root):
        multiplexer = EventMultiplexer()
        multiplexer.AddRunsFromDirectory(str(root))
        multiplexer.Reload()
        found = multiplexer.PluginRunToTagToContent(metadata.PLUGIN_NAME)
        records = {run: tags[metadata.EXPERIMENT_TAG] for run, tags in found.items() if metadata.EXPERIMENT_TAG in tags}
        assert set(records) <= {"."}, "TensorBoard takes any record: there may be one only"
        record = metadata.parse_experiment_plugin_data(records["."]) if records else api_pb2.Experiment()
        self.columns = {info.name: info for info in record.hparam_infos}
        self.metrics = [info.name.tag for info in record.metric_infos]
        self.rows = defaultdict(set)
        self.cells = {}
        self.ended = {}
        for run, tags in found.items():
            if metadata.SESSION_START_INFO_TAG in tags:
                start = metadata.parse_session_start_info_plugin_data(tags[metadata.SESSION_START_INFO_TAG])
                assert start.group_name, "a session without a group is a row of its own"
                self.rows[start.group_name].add(run)
                self.cells[run] = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
                end = tags.get(metadata.SESSION_END_INFO_TAG)
                self.ended[run] = end and metadata.parse_session_end_info_plugin_data(end).status

    def runs(self):
        return sorted(map(sorted, self.rows.values()))


@pytest.fixture
def sweep(call, tmp_path, monkeypatch):
    """Runs a sweep into a folder per model, size of the training set and seed, and reads its table."""
    monkeypatch.setattr(charts, "draw_charts", lambda report: [])  # the report's, which take long and are not TensorBoard's

    def run(*overrides, code=0):
        where = ("hydra.sweep.dir=sweep", "hydra.sweep.subdir=${model.name}-${data.train_size}-${seed}")
        done = call("train", "-m", *SMALL, "trainer.max_epochs=1", *where, *overrides)
        assert done.code == code, done.err
        return Table(tmp_path / "sweep")

    return run


def test_curves_pictures_and_the_final_metrics_that_the_table_needs(small_run):
    folder = small_run("trainer.max_epochs=3")
    board, result = events(folder), read(folder)
    scalars = board.Tags()["scalars"]
    for tag in ("train/loss", "train/acc", "train/lr", "val/loss", "val/acc"):
        assert len(board.Scalars(tag)) == 3, tag
    for tag in ("test/acc", "probe/shift_map/mean", "probe/consistency/all"):
        assert [e.value for e in board.Scalars(tag)] == [pytest.approx(result["metrics"][tag])]
    single = {tag for tag in scalars if len(board.Scalars(tag)) == 1}
    assert single == {*TABLE_METRICS}, "each single point is a chart of its own"
    assert not {"hp_metric", "epoch"} & set(scalars)
    assert set(board.Tags()["images"]) == {
        f"pictures/{name}" for name in ("data", "kernels/stage0", "kernels/stage1", "shift_map/accuracy", "accounting/shares")
    }


def test_every_chart_shows_a_scalar_that_is_there(finished_run):
    board = events(finished_run())
    stored = board.Tensors(custom_scalar.CONFIG_SUMMARY_TAG)
    layout = layout_pb2.Layout.FromString(stored[0].tensor_proto.string_val[0])
    charts = {chart.title: list(chart.multiline.tag) for category in layout.category for chart in category.chart}
    assert charts["accuracy of each run, validation"] == ["^val/acc$"]
    for tags in charts.values():
        assert all(tag.strip("^$").replace("\\", "") in board.Tags()["scalars"] for tag in tags)


def test_interrupted_and_resumed_run_shows_each_step_once(call, interrupted_at, tmp_path):
    with interrupted_at(epoch=1, batch=3):
        assert call("train", *SMALL, "hydra.run.dir=run", "trainer.max_epochs=3").code == 130
    assert call("train", "resume=run").code == 0
    steps = [e.step for e in sorted(events(tmp_path / "run").Scalars("val/acc"), key=lambda e: e.wall_time)]
    assert steps == sorted(set(steps))
    assert len(steps) == 3


def test_a_run_that_is_resumed_within_a_second_comes_after_its_beginning(tmp_path, monkeypatch):
    for process, steps, purge_step in ((99, (0, 1), None), (100, (2, 3), 2)):  # by name, 100 comes before 99
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        board = TensorBoard(tmp_path / "run", purge_step)
        for step in steps:
            board.log_metrics({"lr": 0.1}, step)
        board.save()
    assert [e.step for e in events(tmp_path / "run").Scalars("lr")] == [0, 1, 2, 3]


def test_a_row_for_each_configuration(sweep):
    table = sweep("model=conv,local", "data.train_size=100", "seed=0,1")
    assert table.runs() == [["conv-100-0", "conv-100-1"], ["local-100-0", "local-100-1"]]
    assert set(table.ended.values()) == {1}  # success
    assert [name for name, info in table.columns.items() if info.differs] == ["model"]
    assert table.metrics[:2] == ["test/acc", "probe/shift_map/mean"]


def test_what_the_study_varies_is_a_column_and_no_rows_are_merged(sweep, tmp_path):
    table = sweep(
        "data.train_size=100,200", "model.padding_mode=zeros,circular", "seed=0", "hydra.sweep.subdir=${hydra.job.num}"
    )
    assert len(table.rows) == 4
    assert {(cells["train_size"], cells["padding_mode"]) for cells in table.cells.values()} == {
        (size, border) for size in (100, 200) for border in ("zeros", "circular")
    }
    assert table.columns["train_size"].type == api_pb2.DATA_TYPE_FLOAT64
    assert table.columns["padding_mode"].type == api_pb2.DATA_TYPE_STRING


def test_a_study_that_grew_has_the_new_column_in_its_old_rows(sweep):
    before = sweep("data.train_size=100", "seed=0,1")
    assert before.runs() == [["conv-100-0", "conv-100-1"]]
    assert "train_size" not in before.columns
    after = sweep("data.train_size=100,200", "seed=0,1,2")
    assert after.runs() == [[f"conv-{size}-{seed}" for seed in range(3)] for size in (100, 200)]
    assert after.columns["train_size"].differs
    assert {run: cells["train_size"] for run, cells in after.cells.items()} == {run: int(run[5:8]) for run in after.cells}
    text = sweep("data.train_size=100,200,null", "seed=0,1,2")
    assert {cells["train_size"] for cells in text.cells.values()} == {"100", "200", "null"}
    assert len(text.rows) == 3


def test_columns_of_metrics_are_those_that_were_measured(sweep):
    assert sweep("data.train_size=100", "seed=0", "probes=shift_map").metrics == [
        "test/acc",
        "probe/shift_map/mean",
        "probe/shift_map/worst",
        "best/val/acc",
    ]
    later = sweep("data.train_size=100", "model=local", "probes=[shift_map,consistency,flip_rate]", "seed=0")
    assert later.metrics[4:] == ["probe/consistency/all", "probe/flip_rate/all"]


def test_metrics_that_a_run_lacks_come_last_and_stay_there(tmp_path):
    def after(*metrics):
        write_columns(tmp_path, None, list(metrics))
        return Table(tmp_path).metrics

    assert after() == []
    assert after("mine", "test/acc", "best/val/acc") == ["test/acc", "best/val/acc", "mine"]
    assert after("mine", "best/val/acc") == ["best/val/acc", "mine", "test/acc"]
    assert after("mine", "new", "test/acc", "best/val/acc") == ["best/val/acc", "mine", "test/acc", "new"]
    assert after() == ["best/val/acc", "mine", "test/acc", "new"]


def test_the_record_is_not_written_again_without_need(sweep, tmp_path):
    sweep("data.train_size=100", "seed=0")
    before = (tmp_path / "sweep" / FILE).stat().st_mtime_ns
    sweep("data.train_size=100", "seed=0,1")
    assert (tmp_path / "sweep" / FILE).stat().st_mtime_ns == before


def test_a_run_that_failed_is_no_success(sweep):
    table = sweep("data.train_size=100", "optimizer=sgd", "optimizer.lr=1e30", "seed=0", code=1)
    assert table.ended == {"conv-100-0": None}
    assert table.metrics == []


def test_a_damaged_or_foreign_plan_does_no_harm(sweep, tmp_path):
    first = sweep("data.train_size=100", "seed=0")
    (tmp_path / "sweep" / "study.json").write_text(json.dumps({"format": 1, "axes": "none"}))
    second = sweep("data.train_size=100", "seed=0,1")
    assert second.runs() == [["conv-100-0", "conv-100-1"]]
    assert set(second.columns) == set(first.columns)


def test_a_run_by_itself_leaves_nothing_beside_it(small_run, tmp_path):
    small_run()
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]
