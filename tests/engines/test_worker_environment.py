"""What an engine gives to the process of a run: a GPU, a part of the cores, the name of the engine."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import joblib
import pytest
from conftest import read

pytestmark = pytest.mark.e2e

SUPPORT = Path(__file__).parent.parent / "support"
TWO_GPUS = "GPU 0: NVIDIA Made Up (UUID: GPU-aa)\\nGPU 1: NVIDIA Made Up (UUID: GPU-bb)\\n"
SWEEP = (
    "-m", "trainer=auto", "trainer.threads=null", "trainer.max_epochs=1", "probes=none", "hydra.sweep.dir=sweep",
    "model=conv", "model.channels=[2,2]", "seed=0,1", "+callbacks.own={_target_:own_callbacks.Environment}",
)  # fmt: skip


@pytest.fixture
def seen(program, tmp_path, monkeypatch):
    """Does the sweep; returns what the two runs saw: seen(overrides)."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # of pytest-xdist; a user's own has the last word
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def do(*overrides, **environment):
        shown = {"PYTHONPATH": str(SUPPORT), "CONVEXP_TRUST": "own_callbacks"} | environment
        done = program("cli.train", *SWEEP, *overrides, cwd=tmp_path, fresh=True, **shown)
        assert done.code == 0, done.out + done.err
        runs = [tmp_path / "sweep" / f"seed{seed}" for seed in (0, 1)]
        found = [json.loads((run / "environment.json").read_text()) for run in runs]
        assert [read(run)["hardware"]["threads"] for run in runs] == [each["threads"] for each in found]
        return found

    return do


@pytest.fixture
def two_gpus(tmp_path):
    """The search path for programs of a machine whose nvidia-smi lists two GPUs."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nprintf '{TWO_GPUS}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return f"{program.parent}:{os.environ['PATH']}"


def test_each_run_has_a_gpu_of_its_own_and_its_part_of_the_cores(seen, two_gpus):
    found = seen(PATH=two_gpus)
    assert {each["CUDA_VISIBLE_DEVICES"] for each in found} == {"GPU-aa", "GPU-bb"}
    assert {each["threads"] for each in found} == {max(1, joblib.cpu_count() // 2)}
    assert {each["CONVEXP_ENGINE"] for each in found} == {"processes"}
    assert len({each["process"] for each in found}) == 2


def test_joblib_shares_the_cores_out_too(seen):
    found = seen("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert {each["CONVEXP_ENGINE"] for each in found} == {"joblib"}
    assert {each["threads"] for each in found} == {max(1, joblib.cpu_count() // 2)}


@pytest.mark.parametrize("module", ["training_run", "count_run"])
def test_nothing_asks_for_gpus_before_workers_are_forked(module):
    """CUDA does not survive a fork, and reads CUDA_VISIBLE_DEVICES once."""
    script = f"""
import torch
def asked(*arguments, **settings):
    raise SystemExit("asked for GPUs")
torch.cuda.is_available = torch.cuda.device_count = torch.cuda._lazy_init = torch._C._cuda_getDeviceCount = asked
torch._C._cuda_init = asked
import convexp.execution.{module}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
