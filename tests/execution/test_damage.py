"""Run folders that are damaged, or made to do harm: one line, or the run starts again; no traceback, no wait, none outside."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from conftest import read
from hypothesis import given
from hypothesis import strategies as st
from outcomes import science, weights

from convexp.errors import RefusedError
from convexp.files.json_files import write_json
from convexp.records import RunFolder
from convexp.records.contents import check_inside
from convexp.tracking.metrics_csv import MetricsCSV

TINY = ("trainer=cpu", "trainer.threads=1", "trainer.max_epochs=2", "model.channels=[1]", "model.kernel_size=3")
TINY += ("data.train_size=64", "probes=[kernels]", "logger=csv")
FILES = (
    ".lock",
    "train.log",
    "metrics.csv",
    "data.png",
    "probes/kernels.json",
    "checkpoints/last.ckpt",
    "checkpoints/best.ckpt",
)
FOLDERS = (".hydra", "checkpoints", "probes")
COMMANDS = (("train", "resume=run"), ("train", *TINY, "hydra.run.dir=run"), ("evaluate", "run=run", "probes=kernels"))
made = {}


@pytest.fixture
def run(call, tmp_path, tmp_path_factory):
    """An interrupted run: a copy of the one that is made for all tests."""
    if not made:
        made["run"] = tmp_path_factory.mktemp("damage") / "run"
        assert call("train", *TINY, f"hydra.run.dir={made['run']}").code == 0
        made["good"] = read(made["run"])
        write_json(made["run"] / "result.json", {**made["good"], "state": "interrupted"})
    return Path(shutil.copytree(made["run"], tmp_path / "run"))


def remove(path):
    path.parent.mkdir(exist_ok=True)
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def a_folder(path, _):
    path.mkdir()


def a_file(path, _):
    path.touch()


def a_pipe(path, _):
    os.mkfifo(path)


def a_link_in_a_circle(path, _):
    path.symlink_to(path.name)


def a_link_out(path, victim):
    path.symlink_to(victim)


CASES = [(name, odd) for name in FILES for odd in (a_folder, a_pipe, a_link_in_a_circle, a_link_out)]
CASES += [(name, odd) for name in FOLDERS for odd in (a_file, a_pipe, a_link_in_a_circle, a_link_out)]


@pytest.mark.parametrize("name", [*FILES, *FOLDERS])
def test_what_is_no_file_of_a_run_is_refused_in_a_line_and_nothing_is_written_through_it(call, run, tmp_path, name):
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").write_text("precious")
    for odd in [odd for case, odd in CASES if case == name]:
        if name != ".hydra":  # a run cannot be read without it
            remove(run / name)
            odd(run / name, tmp_path / "victim" / ("" if name in FOLDERS else "file"))
            before = sorted(tmp_path.rglob("*"))
            for arguments in COMMANDS:
                done = call(*arguments)
                assert done.code == 2, (odd, arguments, done.out)
                assert done.err.count("\n") == 1, done.err
                assert name in done.err
            assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "victim" / "file").read_text() == "precious"
    assert len(list((tmp_path / "victim").iterdir())) == 1


def test_links_within_the_folder_are_what_trackers_make(run):
    (run / "latest-run").symlink_to("checkpoints")
    logs = run / "wandb" / "offline-run-1" / "logs"
    logs.mkdir(parents=True)
    (logs / "debug-core.log").symlink_to(run.parent / "core-debug.log")  # in the user's cache, which may have been emptied
    check_inside(run)
    (logs / "debug.log").symlink_to(run.parent / "debug.log")
    with pytest.raises(RefusedError, match="leads out of the run's folder"):
        check_inside(run)


@contextmanager
def as_nobody():
    """Without the rights of the superuser, who may read everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("mode", [0o000, 0o555])
def test_a_folder_that_cannot_be_read_or_written_is_refused(mode):
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        (Path(place) / "run").mkdir()
        (Path(place) / "run").chmod(mode)
        with as_nobody(), pytest.raises(RefusedError, match=r"run: cannot be (read|written to)"):
            RunFolder(Path(place) / "run", "id").__enter__()
        (Path(place) / "run").chmod(0o755)


def without(key):
    def change(checkpoint):
        del checkpoint[key]

    return change


def in_double_precision(checkpoint):
    checkpoint["state_dict"] = {name: weight.double() for name, weight in checkpoint["state_dict"].items()}


def replaced(value, *keys):
    def change(checkpoint):
        for key in keys[:-1]:
            checkpoint = checkpoint[key]
        checkpoint[keys[-1]] = value

    return change


ODD = [
    without("epoch"),
    without("loops"),
    replaced("one", "global_step"),
    replaced(-1, "epoch"),
    replaced([], "callbacks"),
    replaced({}, "callbacks", "Checkpoints"),
    replaced("x", "callbacks", "Checkpoints", "best"),
    replaced(None, "callbacks", "Checkpoints", "best_epoch"),
    replaced(-7, "loops", "fit_loop", "epoch_progress", "current", "processed"),
    replaced(700, "loops", "fit_loop", "epoch_progress", "current", "processed"),
    replaced({"cpu": "state"}, "callbacks", "RandomState"),
    replaced({}, "loops"),
    replaced(None, "loops", "fit_loop"),
    replaced([], "optimizer_states"),
    replaced([{}], "optimizer_states"),
    replaced([], "lr_schedulers"),
    replaced({}, "state_dict"),
    replaced("text", "state_dict", "network.head.classes.bias"),
    in_double_precision,
]


@pytest.mark.parametrize(
    ("name", "change"), [*(("last", change) for change in ODD), ("best", ODD[0]), ("best", in_double_precision)]
)
def test_a_readable_but_odd_checkpoint_starts_again(call, run, name, change):
    file = run / "checkpoints" / f"{name}.ckpt"
    checkpoint = weights(run, name)
    change(checkpoint)
    torch.save(checkpoint, file)
    done = call("train", "resume=run")
    assert done.code == 0, done.err
    assert f"{name}.ckpt" in done.out
    assert "starting again" in done.out
    assert science(read(run)) == science(made["good"])
    assert (run / "metrics.csv").read_bytes() == (made["run"] / "metrics.csv").read_bytes()


@given(st.binary(max_size=20), st.integers(0, 400), st.integers(0, 20))
def test_rows_that_cannot_be_read_are_lost_and_no_more(tmp_path_factory, put, at, cut):
    folder = tmp_path_factory.mktemp("rows")
    good = b"step,val/loss,val/acc,epoch,train/loss\r\n1,2.302,0.1,0,2.31\r\n3,2.301,0.2,1,2.305\r\n"
    (folder / "metrics.csv").write_bytes(good[:at] + put + good[at + cut :])
    logger = MetricsCSV(folder, purge_step=4)
    logger.log_metrics({"val/acc": 0.3}, 5)
    logger.save()
    assert MetricsCSV(folder, purge_step=6).rows[-1]["val/acc"] == "0.3"


def test_a_changed_byte_of_the_rows_loses_no_run(call, run):
    content = (run / "metrics.csv").read_bytes()
    (run / "metrics.csv").write_bytes(b"\xff" + content[1:])
    done = call("train", "resume=run")
    assert done.code == 0, done.err
    assert "metrics.csv cannot be read" in done.err
    assert science(read(run)) == science(made["good"])
