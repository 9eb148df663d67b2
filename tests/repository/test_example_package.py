"""A package of a user's own, installed from its wheel beside convexp's: what it adds works, with no environment variable."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from conftest import read
from wheels import EXAMPLE

pytestmark = pytest.mark.e2e

COUNT = ("trainer=cpu", "trainer.max_epochs=1", "data.source.train=200", "model.wiring.block=1,12", "seed=0")

AFTERWARDS = """
import sys
from convexp import runs
from convexp.evaluate import main as evaluate
from convexp.train import main as train

small = ["trainer=cpu", "trainer.max_epochs=1", "data=stripes", "data.source.train=200", "probes=[mirror]"]
parts = ["model=residual", "optimizer=sign_descent", "task=margin", "augment=brightness"]
sys.argv = ["convexp-train", *parts, *small, "hydra.run.dir=run"]
train()
sys.argv = ["convexp-train", "resume=outputs/studies/block_size/block1-seed0"]
train()
sys.argv = ["convexp-eval", "run=outputs/studies/block_size/block1-seed0", "probes=[mirror]"]
evaluate()
run = runs.open("outputs/studies/block_size/block1-seed0")
print(type(run.network.stages[0].wiring).__module__)
assert "convexp_example" in sys.modules and sys.modules["convexp"].__file__.startswith(sys.prefix)
"""


@pytest.fixture(scope="module")
def installed(wheel, example_wheel, tmp_path_factory):
    """Runs a command in a fresh environment that has both wheels, and torch of this one, in a home of its own."""
    place = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
    python = place / "venv" / "bin" / "python"
    with_uv, with_pip = ["uv", "pip", "install", "--python"], [sys.executable, "-m", "pip", "--python"]
    install = [*with_uv, python] if shutil.which("uv") else [*with_pip, python, "install"]
    subprocess.run([*install, "--quiet", "--no-deps", "--no-index", wheel, example_wheel], check=True)
    (site,) = (place / "venv").glob("lib/python*/site-packages")
    others = [path for path in sys.path if Path(path).name == "site-packages"]
    (site / "others.pth").write_text("\n".join(dict.fromkeys([sysconfig.get_path("purelib"), *others])))
    keep = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS", "GOMP_SPINCOUNT") if name in os.environ}

    def run(command, *arguments):
        (place / "work").mkdir(exist_ok=True)
        done = subprocess.run(
            [place / "venv" / "bin" / command, *arguments],
            cwd=place / "work",
            env={**keep, "HOME": str(place / "home"), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.place = place / "work"
    return run


def test_its_options_are_listed_with_their_origin(installed):
    help_ = installed("convexp-train", "--help")
    ours = help_.partition("of these from package convexp-example")[2].partition("==")[0]
    options = {file.parent.name: file.stem for file in (EXAMPLE / "convexp_example" / "conf").rglob("*.yaml")}
    assert len(options) >= 6
    for group, option in options.items():
        assert f"{group}: " in ours
        assert option in ours
    assert "Neighbouring locations share their kernel" in installed("convexp-train", "--help", "model")


def test_it_trains_and_its_study_is_swept_resumed_evaluated_and_reported(installed):
    out = installed("convexp-train", "study=block_size", *COUNT, "hydra.launcher.processes=2")
    assert "2 new" in out
    folder = installed.place / "outputs" / "studies" / "block_size"
    result = read(folder / "block1-seed0")
    assert result["probes"]["mirror"]["numbers"]["n"] == 200
    assert result["config"]["callbacks"]["norm"]["_target_"] == "convexp_example.callbacks.StopAtNorm"
    assert (installed.place.parent / "home" / ".config" / "convexp" / "key").stat().st_mode & 0o777 == 0o600
    (folder / "block1-seed0" / "result.json").write_text(
        (folder / "block1-seed0" / "result.json").read_text().replace('"state": "finished"', '"state": "interrupted"')
    )
    out = installed("python", "-c", AFTERWARDS)
    assert "resumed in outputs/studies/block_size/block1-seed0" in out
    assert out.count("(as noted)") == 4
    assert "mirror/consistency" in out
    assert out.splitlines()[-1] == "convexp_example.layers"
    assert read(folder / "block1-seed0")["state"] == "finished"
    config = read(installed.place / "run")["config"]
    assert config["model"]["network"]["_target_"] == "convexp_example.networks.Residual"
    assert config["optimizer"]["_target_"] == "convexp_example.optimizers.SignDescent"
    assert config["augment"]["brightness"]["_target_"] == "convexp_example.augment.Brightness"
    assert read(installed.place / "run")["versions"]["convexp-example"] == "0.1.0"
    assert config["task"]["_target_"] == "convexp_example.tasks.Margin"
    assert "block=12" in installed("convexp-report", "outputs/studies/block_size")
