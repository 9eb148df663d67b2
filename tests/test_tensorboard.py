"""What a run leaves for TensorBoard, read back."""

import pytest
from conftest import SMALL, read
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.plugins.hparams import metadata


def events(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    accumulator.Reload()
    return accumulator


def test_curves_pictures_parameters_and_final_metrics(small_run):
    folder = small_run("trainer.max_epochs=3")
    board, result = events(folder), read(folder)
    scalars = board.Tags()["scalars"]
    for tag in ("train/loss", "train/acc", "train/lr", "val/loss", "val/acc"):
        assert len(board.Scalars(tag)) == 3, tag
    for tag in ("test/acc", "probe/shift_map/mean", "probe/consistency/all"):
        assert [e.value for e in board.Scalars(tag)] == [pytest.approx(result["metrics"][tag])]
    parameters = {layer["name"]: layer["parameters"] for layer in result["network"]["layers"]}
    assert {f"parameters/{name}" for name in parameters} <= set(scalars)
    assert "hp_metric" not in scalars
    assert set(board.Tags()["images"]) == {
        "data",
        "kernels/stage0",
        "kernels/stage1",
        "shift_map/accuracy",
        "accounting/shares",
    }


def test_interrupted_and_resumed_run_shows_each_step_once(call, interrupted_at, tmp_path):
    with interrupted_at(epoch=1, batch=3):
        assert call("train", *SMALL, "hydra.run.dir=run", "trainer.max_epochs=3").code == 130
    assert call("train", "resume=run").code == 0
    steps = [e.step for e in sorted(events(tmp_path / "run").Scalars("val/acc"), key=lambda e: e.wall_time)]
    assert steps == sorted(set(steps))
    assert len(steps) == 3


def test_hparams_sessions_group_over_seeds(call, tmp_path):
    done = call("train", "-m", *SMALL, "hydra.sweep.dir=sweep", "model=conv,local", "seed=0,1")
    assert done.code == 0, done.err
    multiplexer = EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(tmp_path / "sweep"))
    multiplexer.Reload()
    found = multiplexer.PluginRunToTagToContent(metadata.PLUGIN_NAME)
    configs = [run for run, tags in found.items() if metadata.EXPERIMENT_TAG in tags]
    assert configs == ["."]
    groups = {}
    for run, tags in found.items():
        if metadata.SESSION_START_INFO_TAG in tags:
            start = metadata.parse_session_start_info_plugin_data(tags[metadata.SESSION_START_INFO_TAG])
            end = metadata.parse_session_end_info_plugin_data(tags[metadata.SESSION_END_INFO_TAG])
            assert end.status == 1  # success
            groups.setdefault(start.group_name, set()).add(run.rpartition("-seed")[0])
    assert "" not in groups  # a session without a group is a group of its own
    assert sorted(map(sorted, groups.values())) == [["digits-conv"], ["digits-local"]]
