"""A run opened again in Python."""

import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import SMALL, read

from convexp import runs
from convexp.data import loader
from convexp.errors import ConfigError


def accuracy(run) -> float:
    with torch.no_grad():
        right = [(run.network(images).argmax(1) == labels) for images, labels in loader(run.data.test, 512)]
    return float(torch.cat(right).float().mean())


@pytest.mark.parametrize(
    "overrides",
    [
        ("model=local",),
        ("model=conv", "model.norm=batch", "model.readout=global_avg"),
        ("model=dense", "match=params:60000", "data.canvas=20", "data.position=random", "data.shift.test=0.1"),
        ("model=low_rank_local", "data.shift.protocol=crop", "data.shift.train=2"),
    ],
    ids=lambda given: given[0],
)
def test_predictions_are_those_that_were_tested(small_run, overrides):
    folder = small_run(*overrides)
    run = runs.open(folder)
    assert accuracy(run) == run.record.metrics["test/acc"] == read(folder)["metrics"]["test/acc"]
    assert sum(p.numel() for p in run.network.parameters()) == run.record.network.parameters
    assert not run.network.training
    assert run.config.model.name == overrides[0].removeprefix("model=")
    assert run.folder == folder


def test_weights_are_the_best_ones_not_the_last(small_run):
    run = runs.open(small_run("trainer.max_epochs=6", "optimizer.lr=0.2", "scheduler=none"))
    best, last = (torch.load(run.folder / "checkpoints" / f"{name}.ckpt", weights_only=True) for name in ("best", "last"))
    name, own = next(iter(run.network.named_parameters()))
    assert torch.equal(own, best["state_dict"][f"network.{name}"])
    assert not torch.equal(own, last["state_dict"][f"network.{name}"])


def test_weights_of_double_precision_are_not_rounded(small_run):
    run = runs.open(small_run("trainer.precision=64-true"))
    best = torch.load(run.folder / "checkpoints" / "best.ckpt", weights_only=True)
    assert all(torch.equal(own, best["state_dict"][f"network.{name}"]) for name, own in run.network.named_parameters())
    assert run.network(run.data.test.first(2)[0]).dtype == torch.float64


def test_weights_are_those_of_the_run_whatever_torchs_defaults_are(finished_run):
    folder = finished_run()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            run = runs.open(folder)
            assert torch.empty(1).device.type == "meta"
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert {parameter.dtype for parameter in run.network.parameters()} == {torch.float32}
    assert accuracy(run) == run.record.metrics["test/acc"]


def test_from_another_folder_and_by_text(finished_run, tmp_path, monkeypatch):
    finished_run()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run = runs.open("../run")
    assert accuracy(run) == run.record.metrics["test/acc"]
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_row_of_the_table_is_opened_by_its_path(small_run, tmp_path):
    small_run("seed=1", folder="sweep/a")
    small_run("seed=2", folder="sweep/b")
    table = runs.load(tmp_path / "sweep")
    for row in table.itertuples():
        run = runs.open(tmp_path / "sweep" / row.path)
        assert run.config.seed == row.seed
        assert accuracy(run) == run.record.metrics["test/acc"]


def test_nothing_around_it_changes(small_run):
    folder = small_run("model=low_rank_local", "data.train_size=200")
    torch.set_num_threads(2)
    torch.manual_seed(7)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist(), torch.get_num_threads()
    files = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    runs.open(folder)
    after = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist(), torch.get_num_threads()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == files


def test_interrupted_run_has_a_network_too(call, interrupted_at, tmp_path):
    with interrupted_at(epoch=1, batch=3):
        assert call("train", *SMALL, "hydra.run.dir=run").code == 130
    run = runs.open(tmp_path / "run")
    assert run.record.state == "interrupted"
    assert run.network(run.data.test.first(3)[0]).shape == (3, 10)


def test_probes_that_would_be_refused_today_keep_no_older_run_closed(finished_run):
    folder = finished_run()
    file = folder / ".hydra" / "config.yaml"
    text = file.read_text()
    assert "max_shift: 1" in text
    file.write_text(text.replace("max_shift: 1", "max_shift: 0"))
    assert runs.open(folder).config.probes["shift_map"].spec()["max_shift"] == 0


def test_data_that_has_moved(small_run, tmp_path):
    rng = np.random.default_rng(0)
    parts = {f"x_{part}": rng.integers(0, 256, (n, 8, 8), np.uint8) for part, n in (("train", 80), ("test", 40))}
    parts |= {f"y_{part}": np.arange(n) % 2 for part, n in (("train", 80), ("test", 40))}
    (tmp_path / "here").mkdir()
    np.savez(tmp_path / "here" / "mine.npz", **parts)
    source = ("data=npz", f"data.source.file={tmp_path}/here/mine.npz", "data.classes=2", "data.image_shape=[1,8,8]")
    folder = small_run(*source, "data.val_size=20", "probes=shift_map")
    (tmp_path / "here").rename(tmp_path / "there")
    with pytest.raises(ConfigError, match=r"data\.source\.file.*no such file"):
        runs.open(folder)
    run = runs.open(folder, data_root=tmp_path / "there")
    assert accuracy(run) == run.record.metrics["test/acc"]


def test_real_data_that_is_not_there(small_run, data_dir, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVEXP_DATA", str(data_dir))
    folder = small_run("data=mnist", "data.train_size=100", "trainer.max_epochs=1", "probes=shift_map")
    config = folder / ".hydra" / "config.yaml"
    config.write_text(config.read_text().replace(f"root: {data_dir}", "root: nowhere"))
    run = runs.open(folder)  # CONVEXP_DATA says where it is now
    assert accuracy(run) == run.record.metrics["test/acc"]
    monkeypatch.delenv("CONVEXP_DATA")
    with pytest.raises(ConfigError, match=r"data\.source\.root=nowhere.*CONVEXP_DATA"):
        runs.open(folder)


class TestRefusal:
    def test_no_run(self, tmp_path):
        (tmp_path / "thesis.txt").write_text("years of work")
        for folder in (tmp_path, tmp_path / "nowhere"):
            with pytest.raises(ConfigError, match="there is no run in this folder") as caught:
                runs.open(folder)
            assert "\n" not in str(caught.value)

    def test_no_checkpoint(self, call, interrupted_at, tmp_path):
        with interrupted_at(epoch=0, batch=1):
            assert call("train", *SMALL, "hydra.run.dir=run").code == 130
        with pytest.raises(ConfigError, match=r"run=.*has no checkpoints/best\.ckpt"):
            runs.open(tmp_path / "run")

    @pytest.mark.parametrize("target", ["os.system", "builtins.eval", "convexp.files.json_files.write_json"])
    def test_foreign_code(self, finished_run, target):
        folder = finished_run("trainer.max_epochs=1", "probes=shift_map")
        config = folder / ".hydra" / "config.yaml"
        config.write_text(config.read_text().replace("convexp.layers.conv.Conv2d", target))
        with pytest.raises(ConfigError, match=r"model\.wiring"):
            runs.open(folder)

    def test_checkpoint_that_would_run_code(self, finished_run, tmp_path):
        folder = finished_run("trainer.max_epochs=1", "probes=shift_map")
        torch.save({"state_dict": Evil(str(tmp_path / "done"))}, folder / "checkpoints" / "best.ckpt")
        with pytest.raises(ConfigError, match=r"best\.ckpt: cannot be read"):
            runs.open(folder)
        assert not (tmp_path / "done").exists()

    def test_damaged_checkpoint_and_that_of_another_network(self, finished_run):
        folder, other = (
            finished_run("trainer.max_epochs=1", "probes=shift_map"),
            finished_run("model=local", "probes=shift_map", folder="other"),
        )
        checkpoint = folder / "checkpoints" / "best.ckpt"
        for content in (checkpoint.read_bytes()[:100], (other / "checkpoints" / "best.ckpt").read_bytes()):
            checkpoint.write_bytes(content)
            with pytest.raises(ConfigError, match=r"best\.ckpt: cannot be read") as caught:
                runs.open(folder)
            assert "\n" not in str(caught.value)


class Evil:
    def __init__(self, file: str) -> None:
        self.file = file

    def __reduce__(self):
        import pathlib

        return pathlib.Path.touch, (pathlib.Path(self.file),)


@pytest.mark.e2e
def test_results_are_read_without_torch():
    heavy = "torch", "pytorch_lightning", "pandas", "matplotlib", "hydra"
    code = f"import sys, convexp.records; sys.exit(', '.join(m for m in {heavy} if m in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
