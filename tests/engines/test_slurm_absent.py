"""Slurm where it is not: what is missing is one line, and a Slurm that is not asked for changes nothing."""

import sys

import pytest
from conftest import SMALL


@pytest.fixture
def no_commands(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


def test_no_slurm_is_one_line(call, no_commands, tmp_path):
    pytest.importorskip("submitit")
    done = call("train", "-m", *SMALL, "seed=0,1", "hydra/launcher=slurm", "hydra.sweep.dir=sweep")
    assert done.code == 2
    line = "there is no sbatch on the PATH; start the sweep on a machine that submits to Slurm"
    assert done.err == f"convexp-train: hydra/launcher=slurm: {line}\n"
    assert not (tmp_path / "sweep").exists()


def test_no_submitit_is_one_line(call, monkeypatch, tmp_path):
    monkeypatch.setattr("convexp.config.checks.packages.find_spec", lambda _: None)
    done = call("train", "-m", *SMALL, "seed=0,1", "hydra/launcher=slurm", "hydra.sweep.dir=sweep")
    assert done.code == 2
    line = "the package submitit is not installed; pip install 'convexp[slurm]'"
    assert done.err == f"convexp-train: hydra/launcher=slurm: {line}\n"
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize("many", [False, True])
def test_srun_on_the_path_changes_nothing_on_stderr(program, tmp_path, many):
    command = tmp_path / "bin" / "srun"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\nexit 1\n")
    command.chmod(0o755)
    path = {"PATH": f"{command.parent}:{sys.exec_prefix}/bin:/usr/bin:/bin"}
    arguments = ("-m", "seed=0,1", "hydra.launcher.processes=2", "hydra.sweep.dir=out") if many else ("hydra.run.dir=out",)
    done = program("train", *SMALL, "probes=shift_map", *arguments, cwd=tmp_path, **path)
    assert (done.code, done.err) == (0, "")
