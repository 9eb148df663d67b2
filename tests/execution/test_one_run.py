"""One run from start to end, in real processes where that matters."""

import json
import os
import re
import shutil
import signal
import time
from functools import partial
from operator import truediv

import pytest
import torch
from conftest import SMALL, read
from filelock import FileLock
from forked import Forked
from outcomes import curves, same, science, weights
from shared import made_once

from convexp.files.json_files import write_json
from convexp.layers import native
from convexp.records import RunRecord, RunStatus, collect, read_record, write_record
from convexp.records.record import ProbeRecord

SLOW = (*SMALL, "trainer.max_epochs=8", "data.batch_size=4", "model=local", "hydra.run.dir=run")


def test_run_folder_has_all_that_the_contract_names(finished_run):
    folder = finished_run()
    names = {entry.name for entry in folder.iterdir()}
    assert {
        ".hydra",
        "checkpoints",
        "metrics.csv",
        "result.json",
        "train.log",
        "shift_map_accuracy.png",
        "kernels_stage0.png",
        "accounting_shares.png",
    } <= names
    assert any(name.startswith("events.out.tfevents") for name in names)
    assert {entry.name for entry in (folder / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    result = read(folder)
    assert result["state"] == "finished"
    assert result["error"] is None
    assert result["seed"] == 0
    for key in ("identity", "versions", "git", "hardware", "seconds", "config"):
        assert result[key]
    assert result["network"]["parameters"] == sum(layer["parameters"] for layer in result["network"]["layers"])
    assert all(layer["forward_ms"] > 0 for layer in result["probes"]["accounting"]["maps"]["layers"])
    assert result["probes"]["shift_map"]["protocol"] == "zero_fill"
    assert len(result["data"]["checksum"]) == 16
    assert [row["epoch"] for row in curves(folder)] == ["0", "1"]


@pytest.mark.parametrize(("model", "recorded"), [("local", native.library() is not None), ("mlp", None)])
def test_a_record_says_whether_kernels_in_c_could_be_used(model, recorded, small_run):
    assert read(small_run(f"model={model}"))["hardware"].get("native") is recorded


def test_monitored_value_is_the_best_epochs_and_the_test_is_of_that_checkpoint(small_run):
    folder = small_run("trainer.max_epochs=4", "optimizer.lr=0.05")
    result, rows = read(folder), curves(folder)
    best = max(range(4), key=lambda e: (float(rows[e]["val/acc"]), -e))
    assert result["metrics"]["best_epoch"] == best == weights(folder, "best")["epoch"]
    assert result["metrics"]["val/acc"] == pytest.approx(float(rows[best]["val/acc"]), abs=1e-7)


def test_same_seed_same_bits_and_another_seed_others(small_run):
    first, second, other = small_run(folder="a"), small_run(folder="b"), small_run("seed=1", folder="c")
    assert science(read(first)) == science(read(second))
    assert same(weights(first)["state_dict"], weights(second)["state_dict"])
    assert not same(weights(first)["state_dict"], weights(other)["state_dict"])


def test_checkpoints_hold_plain_containers_only(finished_run):
    state = weights(finished_run())
    assert {"state_dict", "optimizer_states", "lr_schedulers", "epoch"} <= state.keys()


@pytest.mark.parametrize(
    "more",
    [
        ["optimizer=sgd", "scheduler=cosine", "model=conv", "data.shift.train=0.2", "data.shift.protocol=circular"],
        ["optimizer=adamw", "scheduler=step", "model=local", "model.norm=batch", "probe_every=1"],
        ["callbacks=early_stopping", "callbacks.early_stopping.patience=2", "model=dense", "model.norm=batch_unit"],
    ],
)
def test_resumed_is_uninterrupted_bit_for_bit(small_run, call, tmp_path, interrupted_at, more):
    overrides = ["trainer.max_epochs=5", *more]
    whole = small_run(*overrides, folder="whole")

    with interrupted_at(epoch=2, batch=7):
        done = call("train", *SMALL, "hydra.run.dir=part", *overrides)
    assert done.code == 130
    assert "resume=part" in done.out
    assert read(tmp_path / "part")["state"] == "interrupted"

    done = call("train", "resume=part")
    assert done.code == 0, done.err
    part = tmp_path / "part"
    assert science(read(part)) == science(read(whole))
    for name in ("best", "last"):
        a, b = weights(whole, name), weights(part, name)
        assert a["epoch"] == b["epoch"]
        for key in ("state_dict", "optimizer_states", "lr_schedulers"):
            assert same(a[key], b[key]), key
        assert same(a["callbacks"], b["callbacks"])
    assert curves(part) == curves(whole)


def as_once_written(checkpoint):
    """Local weights were once called ``kernel`` and were in the literature's order; an optimizer's state was as it is now."""
    state = torch.load(checkpoint, weights_only=True)
    for name in [name for name in state["state_dict"] if name.endswith("wiring.weight")]:
        weight = state["state_dict"].pop(name)  # (H', W', O, k2, k1, C)
        state["state_dict"][name.replace("weight", "kernel")] = weight.permute(0, 1, 2, 5, 4, 3).contiguous()
    torch.save(state, checkpoint)


def test_older_run_is_resumed_bit_for_bit(small_run, call, tmp_path, interrupted_at):
    overrides = ["model=local", "optimizer=adamw"]
    whole, part = small_run(*overrides, folder="whole"), tmp_path / "part"
    with interrupted_at(epoch=1, batch=3):
        call("train", *SMALL, "hydra.run.dir=part", *overrides)
    for name in ("best", "last"):
        as_once_written(part / "checkpoints" / f"{name}.ckpt")
    done = call("train", "resume=part")
    assert done.code == 0, done.err
    assert "started at epoch 2" in (part / "train.log").read_text()  # and not again, which gives the same bits
    assert science(read(part)) == science(read(whole))
    for key in ("state_dict", "optimizer_states"):
        assert same(weights(whole)[key], weights(part)[key])


def start(tmp_path, *overrides):
    """A training process that has finished its first epoch and is working on."""
    with (tmp_path / "output").open("w") as output:
        process = Forked("convexp.cli.train", [*SLOW, *overrides], tmp_path, os.environ, output, output)
    for _ in range(6000):
        if (tmp_path / "run" / "checkpoints" / "last.ckpt").exists():
            return process
        assert process.poll() is None, (tmp_path / "output").read_text()
        time.sleep(0.05)
    raise AssertionError("no checkpoint after five minutes")


@pytest.fixture
def uninterrupted(call, tmp_path_factory):
    """The run of ``SLOW`` that nobody stopped."""

    def train(folder):
        done = call("train", *SLOW[:-1], f"hydra.run.dir={folder / 'run'}")
        assert done.code == 0, done.err

    return made_once(tmp_path_factory, "uninterrupted", train) / "run"


@pytest.mark.e2e
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_process_is_gone_on_with(call, tmp_path, how, uninterrupted):
    process = start(tmp_path)
    process.send_signal(signal.SIGSTOP)  # however fast its steps are, it does not end before
    done = call("train", *SLOW)  # somebody starts the same again meanwhile
    process.send_signal(signal.SIGCONT)
    assert done.code == 2, done.out
    assert "another process" in done.err
    process.send_signal(how)
    process.wait(300)
    state = read(tmp_path / "run")["state"]
    if how is signal.SIGKILL:
        assert state == "running"
    else:
        assert (state, process.returncode) == ("interrupted", 130)
    done = call("train", "resume=run")
    assert done.code == 0, done.err
    part = tmp_path / "run"
    assert science(read(part)) == science(read(uninterrupted))
    assert curves(part) == curves(uninterrupted)


def test_finished_run_is_not_run_again_and_another_configuration_is_refused(finished_run, call, tmp_path):
    folder = finished_run()
    before = (folder / "result.json").read_bytes()
    done = call("train", *SMALL, "hydra.run.dir=run")
    assert done.code == 0
    assert "already finished" in done.out
    done = call("train", *SMALL, "hydra.run.dir=run", "seed=1")
    assert done.code == 2
    assert "another configuration" in done.err
    assert (folder / "result.json").read_bytes() == before


def test_default_folders_do_not_collide(call, tmp_path):
    for _ in range(2):
        assert call("train", *SMALL).code == 0
    assert len(list((tmp_path / "outputs" / "runs").glob("digits-conv-seed0-*"))) == 2


def test_folder_in_use(call, tmp_path):
    (tmp_path / "run").mkdir()
    with FileLock(tmp_path / "run" / ".lock"):
        done = call("train", *SMALL, "hydra.run.dir=run")
    assert done.code == 2
    assert "another process" in done.err
    assert [entry.name for entry in (tmp_path / "run").iterdir()] == [".lock"]


def test_damaged_checkpoint_starts_again(finished_run, call):
    folder = finished_run()
    good = science(read(folder))
    write_json(folder / "result.json", {**read(folder), "state": "interrupted"})
    (folder / "checkpoints" / "last.ckpt").write_bytes(b"half a file")
    done = call("train", "resume=run")
    assert done.code == 0, done.err
    assert "cannot be read" in done.out
    assert science(read(folder)) == good


def test_divergence_is_said_in_one_line_and_noted(call, tmp_path):
    done = call("train", *SMALL, "hydra.run.dir=run", "optimizer=sgd", "optimizer.lr=1e30")
    assert done.code == 1
    assert done.err.count("\n") == 1, done.err
    assert "optimizer.lr" in done.err
    result = read(tmp_path / "run")
    assert result["state"] == "failed"
    assert "the loss is not finite at epoch 1, batch 2 " in result["error"]  # after the first step


def test_failure_of_a_probe_keeps_the_test_metrics(call, tmp_path, monkeypatch):
    from convexp.probes.behaviour.shift_map import ShiftMap

    def failed(folder, error):
        result = read(tmp_path / folder)
        return result["state"] == "failed" and error in result["error"] and result["metrics"]["test/acc"] > 0

    monkeypatch.setattr(ShiftMap, "measure", lambda *a: 1 / 0)  # code of one's own, as this file is none of convexp's
    done = call("train", *SMALL, "hydra.run.dir=own")
    assert (done.code, done.err.count("\n")) == (1, 1), done.err
    assert re.search(
        r"test_one_run.py, line \d+: ZeroDivisionError: division by zero .*; once it is mended, to resume: ", done.err
    )
    assert failed("own", "ZeroDivisionError")

    monkeypatch.setattr(ShiftMap, "measure", partial(truediv, 1, 0))  # and of others
    with pytest.raises(TypeError):
        call("train", *SMALL, "hydra.run.dir=run")
    assert failed("run", "TypeError")


@pytest.mark.parametrize("model", ["dense", "local", "low_rank_local", "global_conv", "conv", "mlp"])
def test_eval_reproduces_the_test_numbers(small_run, call, model):
    noted = read(small_run(f"model={model}", *(["model.channels=[]"] if model == "mlp" else []), "match=params:20000"))[
        "metrics"
    ]
    done = call("evaluate", "run=run")
    assert done.code == 0, done.err
    assert done.out.count("(as noted)") == 4, done.out
    said = {name: float(value) for name, value, *_ in map(str.split, done.out.splitlines())}
    for name in ("test/acc", "test/loss"):
        assert said[name] == pytest.approx(noted[name], rel=1e-6)


def test_eval_in_a_process_of_its_own_and_from_elsewhere(finished_run, program, tmp_path):
    folder = finished_run()
    (tmp_path / "elsewhere").mkdir()
    done = program("evaluate", f"run={folder}", cwd=tmp_path / "elsewhere")
    assert done.code == 0, done.err
    assert done.out.count("(as noted)") == 4, done.out
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_training_that_was_stopped_early_stays_so(small_run, call):
    early = ("callbacks=early_stopping", "callbacks.early_stopping.patience=1", "trainer.max_epochs=30", "optimizer.lr=0.05")
    folder = small_run(*early, "scheduler=none")
    before = read(folder)
    assert before["metrics"]["epochs"] < 30
    write_json(folder / "result.json", {**before, "state": "running"})  # killed in its probes
    assert call("train", "resume=run").code == 0
    assert science(read(folder)) == science(before)
    assert read(folder)["metrics"]["seconds_per_epoch"] > 0


def test_a_checkpoint_of_one_s_own_callback_finds_its_folder(small_run):
    folder = small_run("+callbacks.own={_target_:pytorch_lightning.callbacks.ModelCheckpoint}", "trainer.max_epochs=1")
    assert len(list((folder / "checkpoints").glob("epoch=0-*.ckpt"))) == 1


def test_result_is_replaced_whole(tmp_path, monkeypatch):
    write_record(tmp_path, RunRecord(state=RunStatus.RUNNING))

    def fail(*a, **k):
        raise OSError("disk full")

    monkeypatch.setattr(json, "dump", fail)
    with pytest.raises(OSError, match="disk full"):
        write_record(tmp_path, RunRecord(state=RunStatus.INTERRUPTED))
    assert read_record(tmp_path) == RunRecord(state=RunStatus.RUNNING)


def test_nothing_but_json_in_the_result(tmp_path):
    probe = ProbeRecord(maps={"x": [float("nan"), (float("inf"), 1.5)]})
    write_record(tmp_path, RunRecord(state=RunStatus.RUNNING, identity="id", probes={"a": probe}))
    assert read(tmp_path)["probes"]["a"]["maps"] == {"x": [None, [None, 1.5]]}
    assert read_record(tmp_path).probes["a"].maps == {"x": [None, [None, 1.5]]}


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"state": 1}'])
def test_damaged_result_counts_as_none(tmp_path, content):
    (tmp_path / "result.json").write_text(content)
    assert read_record(tmp_path) is None
    assert collect(tmp_path)[0].state == "damaged"


def test_fast_dev_run_and_overfit(call, tmp_path):
    done = call("train", *SMALL[:1], "debug=fast_dev_run", "hydra.run.dir=fast")
    assert done.code == 0
    assert "best epoch" not in done.out  # none is kept
    assert read(tmp_path / "fast")["metrics"]["steps"] == 1
    assert call("train", *SMALL[:1], "debug=overfit", "hydra.run.dir=over").code == 0
    assert float(curves(tmp_path / "over")[-1]["train/acc"]) == 1.0


def test_profiler_writes_its_report(call, tmp_path):
    done = call("train", *SMALL, "debug=profiler", "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert list((tmp_path / "run").glob("*profile*"))


def test_no_probes_no_loggers(call, tmp_path):
    folder = tmp_path / "run"
    assert call("train", *SMALL[:3], "hydra.run.dir=run", "probes=none", "logger=none").code == 0
    assert read(folder)["probes"] == {}
    assert not (folder / "metrics.csv").exists()


@pytest.mark.parametrize("package", ["wandb", "mlflow", "aim", "clearml"])
def test_missing_tracker_says_how_to_get_it(call, package):
    import importlib.util

    if importlib.util.find_spec(package):
        pytest.skip(f"{package} is installed")
    done = call("train", *SMALL, f"logger={package}")
    assert done.code == 2
    assert f"convexp[{package}]" in done.err


@pytest.mark.skipif(os.environ.get("CI") is None or not shutil.which("g++"), reason="compiles for a minute: .ci/run does it")
@pytest.mark.integration
def test_compiled_gives_the_same_within_rounding(small_run):
    plain, compiled = read(small_run(folder="a")), read(small_run("compile=true", folder="b"))
    assert compiled["metrics"]["test/loss"] == pytest.approx(plain["metrics"]["test/loss"], rel=1e-3)
