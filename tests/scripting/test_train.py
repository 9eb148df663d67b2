"""``convexp.train``: the command as a function, in a process that is somebody else's."""

import importlib
import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import SMALL, read
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase
from lightning_fabric.utilities.rank_zero import rank_zero_only
from outcomes import same, science, weights

import convexp
from convexp import runs
from convexp.errors import ConfigError, DivergedError


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def state():
    """What a program may have set, and would not expect a function to change."""
    return {
        "hydra": (GlobalHydra.instance().hydra, HydraConfig.instance().cfg, VersionBase.instance().getbase()),
        "job": JobRuntime.instance().get("name"),
        "torch": torch.get_rng_state().tolist(),
        "numpy": np.random.get_state()[1].tolist(),
        "random": random.getstate(),
        "threads": torch.get_num_threads(),
        "subnormals": (torch.tensor(1.5e-38, dtype=torch.float32) / 2).item(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "deterministic": (torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.deterministic),
        "benchmark": torch.backends.cudnn.benchmark,
        "matmul": torch.get_float32_matmul_precision(),
        "grad": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "rank": rank_zero_only.rank,
        "root": (logging.root.level, [type(handler).__name__ for handler in logging.root.handlers]),
        "loggers": [logging.getLogger(name).level for name in ("convexp", "pytorch_lightning", "lightning_fabric")],
        "warnings": (list(warnings.filters), warnings.showwarning),
        "hooks": (threading.excepthook, sys.excepthook),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)],
        "streams": (sys.stdout, sys.stderr, sys.stdout.encoding),
        "process": (Path.cwd(), list(sys.argv), dict(os.environ), list(sys.path)),
    }


@contextmanager
def own_state():
    """Settings of a caller, none of which is the default."""
    level, threads = logging.root.level, torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(sys, "argv", ["notebook", "--config-dir", "nowhere", "-f", "kernel.json"])
        patch.setenv("CONVEXP_CACHE", "")
        patch.setattr(rank_zero_only, "rank", 3, raising=False)
        patch.setattr(torch.backends.cudnn, "benchmark", True)
        logging.root.setLevel(logging.ERROR)
        torch.manual_seed(11)
        np.random.seed(12)
        random.seed(13)
        torch.set_num_threads(threads + 1)
        torch.set_default_dtype(torch.float64)
        torch.set_float32_matmul_precision("medium")
        torch.use_deterministic_algorithms(True, warn_only=True)
        yield
    torch.use_deterministic_algorithms(False)
    torch.set_float32_matmul_precision("highest")
    torch.set_default_dtype(torch.float32)
    torch.set_num_threads(threads)
    logging.root.setLevel(level)


def test_the_command_and_the_function_do_the_same_run_and_the_process_is_unchanged(finished_run, tmp_path, capsys):
    overrides = ("model=local", "model.norm=batch", "trainer.deterministic=true")
    folder = finished_run(*overrides, folder="command")
    capsys.readouterr()
    with own_state():
        before = state()
        run = convexp.train(*SMALL, *overrides, folder="function", progress=False)
        assert {key for key, value in state().items() if value != before[key]} == set()
    assert capsys.readouterr().out == ""
    assert run.folder == tmp_path / "function"
    assert science(read(run.folder)) == science(read(folder))
    for name in ("best", "last"):
        assert same(weights(run.folder, name), weights(folder, name))
    times = {"started", "ended", "seconds", "metrics", "probes"}  # of which ``science`` has what takes no time
    mine, theirs = ({k: v for k, v in read(each).items() if k not in times} for each in (run.folder, folder))
    assert mine == theirs
    for file in ("config.yaml", "overrides.yaml"):
        assert (run.folder / ".hydra" / file).read_text() == (folder / ".hydra" / file).read_text()

    opened = runs.open(run.folder)
    images, labels = run.data.test.first(50)
    assert torch.equal(run.network(images), opened.network(images))
    assert run.config == opened.config
    assert run.record == opened.record
    assert len(labels) == 50

    trained = (run.folder / "result.json").stat().st_mtime_ns
    again = convexp.train(*SMALL, *overrides, folder="function")  # a finished run is returned
    assert "already finished" in capsys.readouterr().out
    assert (run.folder / "result.json").stat().st_mtime_ns == trained
    assert torch.equal(again.network(images), run.network(images))


@pytest.mark.integration
def test_a_run_within_another_default_device_is_on_the_cpu_and_the_device_stays(finished_run):
    whole = finished_run()
    for number in range(2):
        with torch.device("meta"):
            run = convexp.train(*SMALL, folder=f"run{number}", progress=False)
            assert torch.empty(1).device.type == "meta"
        assert torch.empty(1).device.type == "cpu"
        assert science(read(run.folder)) == science(read(whole))


@pytest.mark.integration
def test_a_resumed_run_stays_in_its_folder(interrupted_at, tmp_path):
    with interrupted_at(epoch=1, batch=3), pytest.raises(KeyboardInterrupt):
        convexp.train(*SMALL, folder="part", progress=False)
    before = (tmp_path / "part" / "result.json").read_text()
    with pytest.raises(ConfigError, match=r"resume=part: the run goes on in its folder; leave out hydra.run.dir=.*other"):
        convexp.train(resume="part", folder="other", progress=False)
    assert (tmp_path / "part" / "result.json").read_text() == before
    assert not (tmp_path / "other").exists()
    assert convexp.train(resume="part", folder=tmp_path / "part", progress=False).record.is_finished


@pytest.mark.integration
def test_ctrl_c_leaves_a_run_that_can_be_resumed(finished_run, interrupted_at, tmp_path):
    whole = finished_run()
    before = state()
    with interrupted_at(epoch=1, batch=3), pytest.raises(KeyboardInterrupt):
        convexp.train(*SMALL, folder="part", progress=False)
    assert {key for key, value in state().items() if value != before[key]} == set()
    assert read(tmp_path / "part")["state"] == "interrupted"
    run = convexp.train(resume="part", progress=False)
    assert science(read(run.folder)) == science(read(whole))
    assert same(weights(run.folder)["state_dict"], weights(whole)["state_dict"])


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["model=locl"], "model=locl: there is no such option; did you mean model=local? There are"),
        (["model.kernl_size=3"], "model.kernl_size: there is no such setting"),
        (["data.batch_size=0"], "data.batch_size=0: should be greater than 0"),
        (["seed=0,1"], "seed=0,1: stands for several runs; convexp.train does one, convexp.sweep many"),
        (["study=three_layers"], "study=three_layers: stands for several runs"),
        (["-m", "seed=0"], "'-m': is no override; write setting=value"),
        ([3], "3: is no override; write setting=value"),
        (["model"], "'model': is no override; write setting=value"),
        (["only_costs=true"], "only_costs=true: leaves no network"),
        (["debug=fast_dev_run"], "trainer.fast_dev_run=true: leaves no network"),
        (["model.channels=[8,16"], "model.channels=[8,16: cannot be read; write setting=value"),
        (["model=local seed=1"], "model=local seed=1: cannot be read"),
        (["resume=nowhere"], "resume=nowhere: there is no run in this folder"),
    ],
)
def test_a_wrong_setting_is_one_line_and_nothing_is_written(overrides, said, tmp_path):
    before = state()
    with pytest.raises(ConfigError) as error:
        convexp.train(*overrides)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
    assert state() == before
    assert list(tmp_path.iterdir()) == []


def test_a_config_dir_that_is_none(tmp_path):
    with pytest.raises(ConfigError, match="config_dir=mine: there is no such folder"):
        convexp.train(config_dir="mine")


@pytest.mark.integration
def test_options_of_ones_own(tmp_path, capsys):
    (tmp_path / "my conf" / "model").mkdir(parents=True)
    (tmp_path / "my conf" / "model" / "tiny.yaml").write_text(
        "defaults: [conv, _self_]\nname: tiny\nchannels: [1]\nkernel_size: 3\n"
    )
    run = convexp.train(*SMALL[:2], "model=tiny", "probes=none", "trainer.max_epochs=1", config_dir="my conf")
    assert run.config.model.name == "tiny"
    assert run.folder.parent == tmp_path / "outputs" / "runs"
    assert run.folder.name.startswith("digits-tiny-seed0-")
    assert capsys.readouterr().out.startswith(
        "digits-tiny-seed0: probes=none trainer=cpu model=tiny "
    )  # what differs, without the folder


@pytest.mark.integration
def test_a_run_that_diverges_raises_what_the_record_says(tmp_path):
    with pytest.raises(DivergedError, match="the loss is not finite"):
        convexp.train(*SMALL, "optimizer.lr=1e30", "scheduler=none", folder="run", progress=False)
    assert read(tmp_path / "run")["state"] == "failed"
    assert "not finite" in read(tmp_path / "run")["error"]


def test_the_function_can_be_called_whatever_was_imported(monkeypatch):
    function = convexp.scripting.train
    assert convexp.train is function or callable(convexp.train)
    module = importlib.import_module("convexp.train")
    assert convexp.train is module  # Python puts it there
    with pytest.raises(ConfigError, match="there is no such option"):
        convexp.train("model=locl")
    assert module.main is not None
    monkeypatch.delattr(convexp, "train")
    assert convexp.train is function


FIRST = """
import json, sys
import convexp
assert not {"torch", "hydra", "convexp.scripting"} & set(sys.modules)
try:
    convexp.train("model=locl")
except convexp.errors.ConfigError:
    pass
print(json.dumps(["torch" in sys.modules, "convexp.train" in sys.modules, "hydra" in sys.modules]))
"""


@pytest.mark.e2e
def test_the_import_is_cheap_and_wrong_settings_need_no_torch(tmp_path):
    done = subprocess.run([sys.executable, "-"], input=FIRST, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [False, False, True]


ALONE = """
import os, sys

class Watch:
    found = set()

    def find_spec(self, name, *_):
        if name == "torch" and name not in sys.modules:
            self.found.add(os.environ.get("GOMP_SPINCOUNT"))

sys.meta_path.insert(0, Watch())
import convexp

convexp.train(*sys.argv[1:], folder="run", progress=False)
needless = ("torchmetrics.functional", "torchvision", "scipy", "sympy", "torch._dynamo", "triton")
print("torch found", *Watch.found)
print("imported", *(name for name in needless if name in sys.modules))
print("afterwards", os.environ.get("GOMP_SPINCOUNT"))
"""


@pytest.mark.e2e
def test_a_script_imports_as_little_as_the_command_and_its_threads_do_not_wait_busily(tmp_path):
    command = [sys.executable, "-c", ALONE, *SMALL, "probes=[shift_map,accounting]", "playground=false", "logger=none"]
    variables = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "PYTHONPATH")}
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["torch found 3000", "imported", "afterwards None"]
