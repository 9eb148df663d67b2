"""The commands work from a checkout, an editable install and an installed wheel; the shell completes them."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, SMALL, read
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl

from convexp.config import conf_dir
from hydra_plugins.convexp_search_path import ConvexpSearchPath

BIN = Path(sys.executable).parent
PLAIN = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}


def run(*command, cwd, **environment):
    done = subprocess.run(
        command, cwd=cwd, env={**PLAIN, **environment}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.e2e
def test_wheel_carries_the_configuration(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    ours = {f"convexp/conf/{file.relative_to(ROOT / 'conf')}" for file in (ROOT / "conf").rglob("*.yaml")}
    assert {name for name in ours if "/local/" not in name} <= set(names)
    lessons = {f"convexp/teaching/scripts/{file.name}" for file in (ROOT / "scripts" / "lessons").glob("*.py")}
    assert lessons
    assert lessons <= set(names)
    assert {f"convexp/layers/native/{name}" for name in ("kernels.c", "products.h", "images.h", "numbers.h")} <= set(names)
    assert {"convexp/py.typed", "hydra_plugins/convexp_grid.py", "convexp/reporting/render/html/page.html.j2"} <= set(names)
    assert not [name for name in names if not name.startswith(("convexp/", "convexp-", "hydra_plugins/"))]


@pytest.mark.e2e
def test_installed_wheel_trains_and_reports(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); import convexp.{0} as m; assert 'site' in m.__file__; m.main()"
    site = str(tmp_path / "site")
    (tmp_path / "conf" / "local").mkdir(parents=True)
    (tmp_path / "conf" / "local" / "default.yaml").write_text("# @package _global_\nseed: 5\n")  # the user's own
    run(sys.executable, "-c", start.format("train"), site, *SMALL, "hydra.run.dir=run", cwd=tmp_path)
    assert read(tmp_path / "run")["seed"] == 5
    assert read(tmp_path / "run")["git"] == {"commit": None, "dirty": None}
    out = run(sys.executable, "-c", start.format("evaluate"), site, "run=run", cwd=tmp_path)
    assert out.count("(as noted)") == 4
    assert "conv" in run(sys.executable, "-c", start.format("report"), site, "run", cwd=tmp_path)
    run(sys.executable, "-c", start.format("lessons"), site, "1", "--notebooks", "--output", "lessons", cwd=tmp_path)
    assert len([*(tmp_path / "lessons" / "notebooks").glob("01_*.ipynb")]) == 1


@pytest.mark.e2e
def test_checkout_trains_from_anywhere(tmp_path):
    copy = tmp_path / "checkout"
    for name in ("convexp", "conf", "hydra_plugins"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "convexp.cli.train", *SMALL, "hydra.run.dir=run", cwd=tmp_path, PYTHONPATH=str(copy))
    assert read(tmp_path / "run")["state"] == "finished"


@pytest.mark.e2e
def test_own_defaults_are_found_where_one_works(tmp_path):
    (tmp_path / "conf" / "local").mkdir(parents=True)
    (tmp_path / "conf" / "local" / "default.yaml").write_text("# @package _global_\nseed: 5\noptimizer:\n  lr: 0.5\n")
    settings = run(BIN / "convexp-train", "--cfg", "job", "optimizer.lr=0.25", cwd=tmp_path).splitlines()
    assert "seed: 5" in settings
    assert "  lr: 0.25" in settings
    assert "seed: 0" in run(BIN / "convexp-train", "--cfg", "job", cwd=tmp_path / "conf").splitlines()


def test_other_applications_of_hydra_are_left_alone(tmp_path, monkeypatch):
    (tmp_path / "conf" / "local").mkdir(parents=True)
    (tmp_path / "conf" / "local" / "default.yaml").write_text("seed: 5\n")
    monkeypatch.chdir(tmp_path)
    for main, found in ((str(tmp_path), 0), (conf_dir(), 1)):
        path = ConfigSearchPathImpl()
        path.append("main", main)
        ConvexpSearchPath().manipulate_search_path(path)
        assert len(path.get_path()) == 1 + found


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_the_demo_says_what_it_installs_and_shows_how_far_it_is(tmp_path):
    steps = run("make", "-n", "-C", str(ROOT), "demo", f"VENV={tmp_path}/venv", cwd=tmp_path).splitlines()
    (install,) = [line for line in steps if "pip install" in line]
    assert "--quiet" not in install
    assert "GB" in steps[steps.index(install) - 1]


@pytest.mark.e2e
@pytest.mark.parametrize(
    "command",
    [
        "convexp-train",
        "convexp-eval",
        "convexp-report",
        "convexp-status",
        "convexp-diff",
        "convexp-dashboard",
        "convexp-explain",
        "convexp-probe",
        "convexp-lessons",
    ],
)
def test_editable_install_has_the_commands(tmp_path, command):
    assert command in run(BIN / command, "--help", cwd=tmp_path)


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_groups_options_and_settings(tmp_path):
    script = f"""
    export PATH={BIN}:$PATH
    eval "$(convexp-train -sc install=bash)"
    complete -p convexp-train
    for line in "convexp-train model=" "convexp-train data=fa" "convexp-train trainer.max_ep" \\
            "convexp-train model.readout=gl" "convexp-train model=local model.wiring.bias="; do
        COMP_LINE="$line" COMP_POINT=${{#line}} COMP_WORDS=($line); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) COMPREPLY=()
        hydra_bash_completion convexp-train "" convexp-train
        printf '%s\\n' "${{COMPREPLY[@]}}"
    done
    """
    out = run("bash", "-c", script, cwd=tmp_path).split()
    for word in (
        "model=dense",
        "model=global_conv",
        "data=fashion_mnist",
        "trainer.max_epochs=",
        "model.readout=global_max",
        "model.wiring.bias=channel",
    ):
        assert word in out, out
