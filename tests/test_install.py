"""The commands work from a checkout, an editable install and an installed wheel; the shell completes them."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, SMALL, read

BIN = Path(sys.executable).parent
PLAIN = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}


def run(*command, cwd, **environment):
    done = subprocess.run(
        command, cwd=cwd, env={**PLAIN, **environment}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    return next(folder.glob("*.whl"))


def test_wheel_carries_the_configuration(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    ours = {f"convexp/conf/{file.relative_to(ROOT / 'conf')}" for file in (ROOT / "conf").rglob("*.yaml")}
    assert {name for name in ours if "/local/" not in name} <= set(names)
    assert {"convexp/py.typed", "hydra_plugins/convexp_grid.py", "convexp/reporting/page/page.html.j2"} <= set(names)
    assert not [name for name in names if not name.startswith(("convexp/", "convexp-", "hydra_plugins/"))]


def test_installed_wheel_trains_and_reports(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); import convexp.{0} as m; assert 'site' in m.__file__; m.main()"
    site = str(tmp_path / "site")
    run(sys.executable, "-c", start.format("train"), site, *SMALL, "hydra.run.dir=run", cwd=tmp_path)
    assert read(tmp_path / "run")["git"] == {"commit": None, "dirty": None}
    out = run(sys.executable, "-c", start.format("evaluate"), site, "run=run", cwd=tmp_path)
    assert out.count("(as noted)") == 4
    assert "conv" in run(sys.executable, "-c", start.format("report"), site, "run", cwd=tmp_path)


def test_checkout_trains_from_anywhere(tmp_path):
    copy = tmp_path / "checkout"
    for name in ("convexp", "conf", "hydra_plugins"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "convexp.train", *SMALL, "hydra.run.dir=run", cwd=tmp_path, PYTHONPATH=str(copy))
    assert read(tmp_path / "run")["state"] == "finished"


@pytest.mark.parametrize("command", ["convexp-train", "convexp-eval", "convexp-report"])
def test_editable_install_has_the_commands(tmp_path, command):
    assert command in run(BIN / command, "--help", cwd=tmp_path)


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
