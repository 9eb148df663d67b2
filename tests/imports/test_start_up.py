"""What a run imports before its first step, in a fresh process: with the versions that are installed, which are the highest
where everything was installed anew, and with the lowest Lightning and torchmetrics that convexp permits, over the same torch.

The job ``lowest`` of .github/workflows/ci.yml runs these tests where all packages are the lowest.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import ROOT
from packaging.requirements import Requirement

pytestmark = pytest.mark.e2e

SEEN = """
import gc, sys
from pathlib import Path
from pytorch_lightning.callbacks import Callback

class Seen(Callback):
    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == 1:
            Path("modules").write_text("\\n".join(sys.modules))
            Path("frozen").write_text(str(gc.get_freeze_count()))
"""
METERED = """
import pytorch_lightning as pl
from torch.nn import functional as F
from torchmetrics.classification import MulticlassAccuracy

class Metered(pl.LightningModule):
    def __init__(self, network, make_optimizer, make_scheduler):
        super().__init__()
        self.network, self.make_optimizer = network, make_optimizer
        self.accuracy = MulticlassAccuracy(10, average="micro")

    def configure_optimizers(self):
        return self.make_optimizer(self.parameters())

    def training_step(self, batch, batch_idx):
        return F.cross_entropy(self.network(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        answers = self.network(batch[0])
        self.accuracy(answers, batch[1])
        self.log("val/acc", self.accuracy)
        self.log("val/mean", (answers.argmax(1) == batch[1]).float().mean(), batch_size=len(batch[1]))

    def test_step(self, batch, batch_idx):
        self.log("test/loss", F.cross_entropy(self.network(batch[0]), batch[1]))
"""


REPLACED = ("pytorch-lightning", "torchmetrics")  # what convexp.imports stands in for, or imports in another way


@pytest.fixture(params=["installed", "lowest"])
def versions(request, tmp_path):
    """Versions by package, and the variables of a process that imports them."""
    if request.param == "installed":
        return {name: version(name) for name in REPLACED}, os.environ
    lowest, folder = {name: lowest_version(name) for name in REPLACED}, tmp_path / "lowest"
    installer = (
        ["uv", "pip", "install", "--python", sys.executable] if shutil.which("uv") else [sys.executable, "-m", "pip", "install"]
    )
    pinned = [f"{name}=={number}" for name, number in lowest.items()]
    done = subprocess.run([*installer, "--no-deps", "--target", folder, *pinned], capture_output=True, text=True, check=False)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"{' and '.join(pinned)} cannot be installed here: {done.stderr.strip()[-200:]}")
    assert not done.returncode, done.stderr
    return lowest, {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep),
    }


MANY = 100_000  # objects: torch and Lightning have more, the library and Hydra fewer


def lowest_version(name):
    """The lowest version of a package that pyproject.toml permits."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (found,) = [each for each in map(Requirement, project["dependencies"]) if each.name == name]
    (lowest,) = [each.version for each in found.specifier if each.operator == ">="]
    return f"{lowest}.0" if lowest.count(".") == 1 else lowest


def test_first_step_needs_little_and_others_get_everything(tmp_path, versions):
    own = tmp_path / "own"
    own.mkdir()
    (own / "seen.py").write_text(SEEN)
    (own / "metered.py").write_text(METERED)
    program = Path(__file__).with_name("first_step.py")
    done = subprocess.run([sys.executable, program], cwd=tmp_path, env=versions[1], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert int((tmp_path / "frozen").read_text()) > MANY
    assert set(found.pop("imported before the first step")) <= imported_by_the_meta_device()
    assert found == {
        "the compiler": False,
        "an own metric is logged": True,
        "the same with the compiler": True,
        "versions": versions[0],
    }


@pytest.mark.parametrize("in_program", [True, False])
def test_imports_are_not_looked_through_for_garbage(in_program):
    asked = f"""
import gc
from convexp.machine.garbage import in_program
from convexp.imports.lightning import import_lightning
in_program.set({in_program})
before = gc.get_stats()[2]["collections"]
import_lightning()
print(gc.get_stats()[2]["collections"] - before, gc.get_freeze_count() > {MANY}, gc.isenabled())
"""
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", str(in_program), "True"]


@pytest.mark.parametrize(
    "also", ["", pytest.param("triton", marks=pytest.mark.skipif(not find_spec("triton"), reason="not here"))]
)
def test_imports_are_looked_through_at_the_end_only_if_triton_would_complain(also):
    asked = f"""
import atexit, gc
atexit.register(lambda: print(gc.get_freeze_count() > {MANY}))
import convexp.execution.preload
import torch.utils.flop_counter
{also and f"import {also}"}
"""
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == ([str(not also)], "")


def imported_by_the_meta_device():
    """SymPy with torch 2.6, which needs it to draw numbers on the meta device, where networks are counted; else nothing."""
    asked = "import sys, torch; torch.empty(2, device='meta').uniform_(); print('sympy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    return {"sympy"} if done.stdout.split() == ["True"] else set()
