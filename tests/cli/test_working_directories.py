"""Runs, data and working directories that lie anywhere."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL, read

import convexp
from convexp import runs
from convexp.errors import ConfigError

NPZ = ("data=npz", "data.classes=2", "data.image_shape=[1,8,8]", "data.val_size=20")


@pytest.fixture
def npz(tmp_path):
    """A file of images in the folder ``here`` and the way there from ``elsewhere``, the working directory being ``here``."""
    rng = np.random.default_rng(0)
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    np.savez(tmp_path / "here" / "mine.npz", images=rng.integers(0, 256, (120, 8, 8), np.uint8), labels=np.arange(120) % 2)
    os.chdir(tmp_path / "here")
    return tmp_path / "here" / "mine.npz"


def test_a_run_is_tested_and_gone_on_with_from_elsewhere(call, npz, interrupted_at, tmp_path):
    with interrupted_at(epoch=1, batch=0):
        assert call("train", *SMALL, *NPZ, "data.source.file=mine.npz", "hydra.run.dir=run").code == 130
    before = read(Path("run"))
    os.chdir(tmp_path / "elsewhere")
    assert call("evaluate", "run=../here/run").code == 0
    done = call("train", "resume=../here/run")
    assert done.code == 0, done.err
    after = read(npz.parent / "run")
    assert after["state"] == "finished"
    assert after["identity"] == before["identity"]
    assert after["config"] == before["config"]


@pytest.mark.parametrize("old", [False, True], ids=["absolute", "relative, as older runs noted it"])
def test_data_that_has_moved_is_known_by_its_checksum(call, npz, interrupted_at, tmp_path, old):
    with interrupted_at(epoch=1, batch=0):
        assert call("train", *SMALL, *NPZ, "data.source.file=mine.npz", "hydra.run.dir=run").code == 130
    before = read(Path("run"))
    if old:
        config = Path("run", ".hydra", "config.yaml")
        config.write_text(config.read_text().replace(str(npz), "mine.npz"))
        result = {**before, "config": json.loads(json.dumps(before["config"]).replace(str(npz), "mine.npz"))}
        Path("run", "result.json").write_text(json.dumps(result))
    (tmp_path / "there").mkdir()
    npz.rename(tmp_path / "there" / "mine.npz")
    shutil.move("run", tmp_path / "there" / "run")
    os.chdir(tmp_path / "elsewhere")
    for program in (("evaluate", "run=../there/run"), ("train", "resume=../there/run")):
        done = call(*program)
        assert done.code == 2
        assert "mine.npz: there is no such file" in done.err
        assert "data_root=" in done.err
        assert "delete" not in done.err
    assert call("evaluate", "run=../there/run", "data_root=../there").code == 0
    done = call("train", "resume=../there/run", "data_root=../there")
    assert done.code == 0, done.err
    assert read(tmp_path / "there" / "run")["identity"] == before["identity"]
    assert read(tmp_path / "there" / "run")["data"]["checksum"] == before["data"]["checksum"]
    noted = read(tmp_path / "there" / "run")["config"]["data"]["source"]["file"]
    assert noted == ("mine.npz" if old else str(npz))  # as the runs beside it note it, which it is compared with


def test_other_images_in_the_place_of_the_run_s_are_refused(call, npz, interrupted_at, tmp_path):
    with interrupted_at(epoch=1, batch=0):
        assert call("train", *SMALL, *NPZ, "data.source.file=mine.npz", "hydra.run.dir=run").code == 130
    rng = np.random.default_rng(1)
    np.savez(tmp_path / "elsewhere" / "mine", images=rng.integers(0, 256, (120, 8, 8), np.uint8), labels=np.arange(120) % 2)
    done = call("evaluate", "run=run", f"data_root={tmp_path}/elsewhere")
    assert "these are other images than the run's" in done.err
    done = call("train", "resume=run", f"data_root={tmp_path}/elsewhere")
    assert done.code == 2
    assert "the images have changed since this run was begun" in done.err
    assert read(Path("run"))["state"] == "interrupted"


def test_a_configuration_that_was_changed_afterwards_is_another_run_s(call, npz, interrupted_at):
    with interrupted_at(epoch=1, batch=0):
        assert call("train", *SMALL, *NPZ, "data.source.file=mine.npz", "hydra.run.dir=run").code == 130
    config = Path("run", ".hydra", "config.yaml")
    config.write_text(config.read_text().replace("norm: none", "norm: batch"))
    done = call("train", "resume=run")
    assert done.code == 2
    assert "run of another configuration" in done.err


def test_a_sweep_from_elsewhere_finds_what_is_finished(call, npz, tmp_path):
    sweep = ("-m", *SMALL, *NPZ, "seed=0,1", "trainer.max_epochs=1")
    assert call("train", *sweep, "data.source.file=mine.npz", "hydra.sweep.dir=sweep").code == 0
    os.chdir(tmp_path / "elsewhere")
    done = call("train", *sweep, "data.source.file=../here/mine.npz", "hydra.sweep.dir=../here/sweep")
    assert done.code == 0, done.err
    assert "2 already finished" in done.out
    assert set(runs.load("../here/sweep")["seed"]) == {0, 1}


def test_relative_paths_are_seen_from_where_the_command_was_given(call, npz):
    done = call(
        "train", *SMALL, *NPZ, "data.source.file=mine.npz", "hydra.run.dir=run", "hydra.job.chdir=true", "only_costs=true"
    )
    assert done.code == 0, done.err


def test_a_tilde_is_the_home_folder(call, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    costs = (*SMALL, "only_costs=true")
    assert call("train", *costs, "outputs=~/results").code == 0
    assert list((home / "results" / "runs").iterdir())
    assert call("train", *SMALL, "hydra.run.dir=~/run").code == 0
    assert call("train", "-m", *costs, "outputs=~/results").code == 0
    assert list((home / "results" / "sweeps").iterdir())
    assert call("train", "-m", *costs, "hydra.sweep.dir=~/sweep", "seed=0,1").code == 0
    assert len(list((home / "sweep").glob("*/result.json"))) == 2
    assert call("train", "-m", *costs, "hydra.sweep.dir=~/basic", "seed=0,1", "hydra/sweeper=basic").code == 0
    assert len(list((home / "basic").glob("*/result.json"))) == 2
    assert "already finished" in call("train", "resume=~/run").out
    assert call("evaluate", "run=~/run").code == 0
    assert not list(tmp_path.rglob("~"))


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("train", ["resume="]),
        ("train", ["outputs="]),
        ("train", ["hydra.run.dir="]),
        ("train", ["-m", "hydra.sweep.dir="]),
        ("train", ["data=image_folder", "data.classes=2", "data.source.root="]),
        ("train", ["data=image_folder", "data.classes=2", "data.source.root=.", "data.source.cache="]),
        ("train", ["data=npz", *NPZ, "data.source.file="]),
        ("evaluate", ["run="]),
        ("evaluate", ["run=x", "data_root="]),
        ("report", [""]),
    ],
)
def test_an_empty_value_is_no_path(call, tmp_path, program, arguments):
    done = call(program, *arguments)
    assert done.code == 2, done.err
    assert done.err.count("\n") == 1
    assert arguments[-1].rstrip("=") in done.err
    assert "empty" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def read_only():
    """Makes a folder one that cannot be written in, also by root, who may do so whatever its permissions say."""
    mounted = []

    def make(folder):
        if os.geteuid():
            folder.chmod(0o555)
            return
        for options in (["--bind", folder, folder], ["-o", "remount,ro,bind", folder]):
            done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"root needs the right to mount a folder: {done.stderr.strip()}")
            mounted.append(folder)

    yield make
    for folder in dict.fromkeys(mounted):
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize(
    "arguments", [["outputs=there"], ["hydra.run.dir=there/run"], ["-m", "outputs=there"], ["-m", "hydra.sweep.dir=there"]]
)
@pytest.mark.parametrize("kind", ["read-only", "a file", "of the kernel"])
def test_a_place_that_cannot_be_written_to(call, tmp_path, read_only, arguments, kind):
    there = tmp_path / "there"
    if kind == "a file":
        there.write_text("years of work")
    elif kind == "read-only":
        there.mkdir()
        read_only(there)
    else:
        there = Path("/proc/nope")
        arguments = [argument.replace("there", str(there)) for argument in arguments]
    done = call("train", *SMALL, "only_costs=true", *arguments)
    assert done.code == 2, done.err
    assert done.err.count("\n") == 1
    assert arguments[-1].removesuffix("/run") in done.err
    assert "cannot be written to" in done.err
    assert list(tmp_path.rglob("*")) == ([] if kind == "of the kernel" else [there])


def test_what_could_not_be_made_whole_is_removed(call, tmp_path):
    done = call("train", *SMALL, f"outputs=a/b/{'c' * 250}/{'d' * 300}")
    assert done.code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_cannot_be_written_to(call, finished_run, read_only, tmp_path):
    folder = finished_run("trainer.max_epochs=1")
    read_only(folder)
    before = read(folder)
    done = call("evaluate", "run=run", "probes=shift_map")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "run=run: run cannot be written to" in done.err.replace(f"{tmp_path}/", "")
    assert call("evaluate", "run=run").code == 0
    done = call("train", "resume=run")
    assert done.code == 2
    assert "resume=run: " in done.err
    assert read(folder) == before
    assert {file.name for file in tmp_path.iterdir()} == {"run"}


def test_a_home_that_is_not_known(call, tmp_path, monkeypatch):
    """As in a container whose user has a number and no name."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 2)
    for setting in ("outputs=~/x", "hydra.run.dir=~/x", "resume=~/x"):
        done = call("train", setting)
        assert done.code == 2
        assert f"{setting}: ~ stands for a home folder that is not known; set HOME" in done.err
    assert call("train", *SMALL, "only_costs=true").code == 0
    assert {file.name for file in tmp_path.iterdir()} == {"outputs"}


def test_a_run_whose_images_lie_nowhere_has_no_data_root(call, interrupted_at):
    with interrupted_at(epoch=1, batch=0):
        assert call("train", *SMALL, "hydra.run.dir=run").code == 130
    for program in (("evaluate", "run=run"), ("train", "resume=run")):
        done = call(*program, "data_root=.")
        assert done.code == 2, done.err
        assert done.err.count("\n") == 1
        assert "data_root=.: the images of this run are not read from a folder" in done.err


@pytest.mark.parametrize("command", ["train", "evaluate", "explain"])
def test_a_working_directory_that_was_removed_is_said(command, call, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    done = call(command, "run=x" if command == "evaluate" else "model=conv")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(": the working directory does not exist any more; change to another one\n")
    with pytest.raises(ConfigError, match=r"^the working directory does not exist"):
        convexp.train("trainer.max_epochs=1", folder=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
