"""Runs of a user's own, with code of their own, need no environment variable; what others have changed in them does no harm."""

import shutil
import sys

import pytest
import torch
from conftest import SMALL, read
from pytorch_lightning.callbacks import ModelCheckpoint

from convexp import runs
from convexp.training.callbacks import restrict_paths

pytestmark = pytest.mark.integration

QUICK = (*(setting for setting in SMALL if not setting.startswith("probes")), "probes=none")

MODULE = '''
from dataclasses import dataclass
from convexp.layers.conv import Conv2d
from convexp.probes import Measurement
import pytorch_lightning as pl


class Layer(Conv2d):
    """A convolution."""


@dataclass(frozen=True)
class One:
    """Numbers: one (share): one."""

    def measure(self, network, sample):
        return Measurement({"one": 1.0})


class Count(pl.Callback):
    """Counts epochs."""

    epochs = 0

    def on_train_epoch_end(self, trainer, pl_module):
        self.epochs += 1
        pl_module.log("counted", float(self.epochs))

    def state_dict(self):
        return {"epochs": self.epochs}

    def load_state_dict(self, state_dict):
        self.epochs = state_dict["epochs"]
'''
MODEL = "defaults: [skeleton, _self_]\nname: mine\nwiring: {_target_: beside.Layer, _partial_: true}\n"
FILES = {
    "beside.py": MODULE,
    "conf/model/mine.yaml": MODEL,
    "conf/probes/one.yaml": "one: {_target_: beside.One}\n",
    "conf/callbacks/count.yaml": "count: {_target_: beside.Count}\n",
}


@pytest.fixture
def elsewhere(tmp_path):
    """A folder with configurations and, beside them, a module."""
    for name, text in FILES.items():
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / name).write_text(text)
    yield tmp_path / "own"
    sys.modules.pop("beside", None)


def forget_modules(monkeypatch):
    """As in a new process."""
    monkeypatch.setattr(sys, "path", [path for path in sys.path if not path.endswith("own")])
    sys.modules.pop("beside", None)


def test_a_run_with_code_beside_its_configurations(call, elsewhere, tmp_path, interrupted_at, monkeypatch):
    own = ("--config-dir", "own/conf", "model=mine", "callbacks=count", *QUICK)
    with interrupted_at(1, 3):
        done = call("train", *own, "hydra.run.dir=run")
    assert done.code == 130, done.err
    assert "to resume: convexp-train resume=run\n" in done.out  # no CONVEXP_TRUST=
    forget_modules(monkeypatch)
    done = call("train", "resume=run")
    assert done.code == 0, done.err
    assert read(tmp_path / "run")["state"] == "finished"
    forget_modules(monkeypatch)
    shutil.move(tmp_path / "run", tmp_path / "moved")
    done = call("evaluate", "run=moved")
    assert done.code == 0, done.err
    assert done.out.count("(as noted)") == 4
    forget_modules(monkeypatch)
    assert type(runs.open(tmp_path / "moved").network.stages[0].wiring).__module__ == "beside"

    done = call("evaluate", "--config-dir", "own/conf", "run=moved", "probes=[one]")
    assert done.code == 0, done.err
    assert "one/one" in done.out
    assert read(tmp_path / "moved")["config"]["pythonpath"] == [str(elsewhere)]

    forget_modules(monkeypatch)
    (tmp_path / "moved" / ".hydra" / "signature").unlink()
    for arguments in (("evaluate", "run=moved"), ("train", "resume=moved")):
        done = call(*arguments)
        assert done.code == 2
        assert "it is not signed" in done.err
    assert "beside" not in sys.modules
    assert str(elsewhere) not in sys.path


def test_a_sweep_whose_workers_import_the_modules(program, elsewhere, tmp_path):
    done = program(
        "train", "--config-dir", "own/conf", "-m", "model=mine,conv", "only_costs=true", *QUICK,
        "hydra.launcher.processes=2", "hydra.sweep.dir=sweep", cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 0, done.err
    records = list((tmp_path / "sweep").glob("*/result.json"))
    assert len(records) == 2
    assert {read(record.parent)["state"] for record in records} == {"finished"}


def test_a_module_that_is_gone_is_one_line(call, elsewhere, tmp_path, monkeypatch):
    assert call("train", "--config-dir", "own/conf", "model=mine", *QUICK, "hydra.run.dir=run").code == 0
    forget_modules(monkeypatch)
    (elsewhere / "beside.py").rename(tmp_path / "beside.py")
    done = call("evaluate", "run=run")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "pythonpath" in done.err
    done = call("evaluate", "run=run", "pythonpath=[.]")
    assert done.code == 0, done.err


def test_resuming_a_strangers_folder_does_not_sign_it(call, finished_run, tmp_path):
    """Also if it has no record, so that it is begun anew."""
    run = finished_run()
    (run / ".hydra" / "signature").unlink()
    (run / "result.json").unlink()
    before = (run / ".hydra" / "config.yaml").read_bytes()
    done = call("train", "resume=run")
    assert done.code == 0, done.err
    assert read(run)["state"] == "finished"
    assert not (run / ".hydra" / "signature").exists()
    assert (run / ".hydra" / "config.yaml").read_bytes() == before


def test_without_a_place_for_the_key_a_run_finishes_and_says_that_it_is_not_signed(call, elsewhere, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CONVEXP_KEY", str(tmp_path / "file" / "key"))
    done = call("train", "--config-dir", "own/conf", "model=mine", "only_costs=true", "hydra.run.dir=run")
    assert done.code == 0
    assert done.err.count("\n") == 1
    assert "is not signed" in done.err
    done = call("train", "model=conv", "only_costs=true", "hydra.run.dir=other")  # names nothing that needs a signature
    assert (done.code, done.err) == (0, "")


def test_a_callback_that_removes_files_takes_no_paths_from_elsewhere(tmp_path):
    """ModelCheckpoint removes the files that its state names; a signature does not cover checkpoints."""
    (tmp_path / "kept").mkdir()
    callback = ModelCheckpoint(tmp_path / "kept", monitor="val/acc", mode="max")
    restrict_paths(callback)
    inside, outside = str(tmp_path / "kept" / "a.ckpt"), str(tmp_path / "kept" / ".." / "thesis.txt")
    state = {"dirpath": callback.dirpath, "best_model_score": torch.tensor(0.5), "best_model_path": inside}
    attacks = {"best_k_models": {outside: torch.tensor(0.0)}, "kth_best_model_path": outside, "last_model_path": outside}
    for name, value in attacks.items():
        callback.load_state_dict(state | {name: value})
        assert (callback.best_k_models, callback.kth_best_model_path, callback.last_model_path) == ({}, "", "")
    callback.load_state_dict(state | {"best_k_models": {inside: torch.tensor(0.5)}})
    assert list(callback.best_k_models) == [inside]
