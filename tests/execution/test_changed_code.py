"""Code of the user's own that is changed between runs, which no setting tells: real processes, as a user starts them."""

import json
import re
import shlex
import shutil

import pytest

pytestmark = pytest.mark.e2e

NET = """
from torch import nn

def net(outputs):
    return nn.Sequential(nn.Flatten(), nn.Linear(256, outputs), nn.{activation}())
"""
SMALL = ("trainer=cpu", "trainer.max_epochs=2", "trainer.threads=1", "scheduler=none", "probes=accounting", "pythonpath=[.]")
RUNS = ("-m", *SMALL, "model=own", "model.network._target_=mine.net", "hydra.sweep.dir=sweep")


def test_it_is_recorded_and_said_wherever_results_of_both_meet(program, tmp_path):
    def train(*overrides):
        return program("train", *overrides, cwd=tmp_path)

    def code(run):
        return json.loads((tmp_path / run / "result.json").read_text())["versions"]["mine.py"]

    (tmp_path / "mine.py").write_text(NET.format(activation="Identity"))
    done = train(*RUNS, "seed=0,1")
    assert done.code == 0, done.err
    assert "mine.py" not in done.out.replace("mine.net", "")
    assert code("sweep/seed0") == code("sweep/seed1")
    shutil.copytree(tmp_path / "sweep/seed0", tmp_path / "longer")
    (tmp_path / "mine.py").write_text(NET.format(activation="Tanh"))
    done = train(*RUNS, "seed=0,1,2")
    assert done.code == 0, done.err
    assert re.search(
        r"1 run used a different mine.py than the others \(\w{8}… instead of \w{8}…\): seed2", " ".join(done.out.split())
    )
    assert code("sweep/seed2") != code("sweep/seed1")

    done = train(*RUNS, "seed=0,1,2")
    said = " ".join(done.out.split())
    assert (
        "mine.py changed since 2 runs finished (seed0, seed1), whose results stay; for results of the new code choose" in said
    )
    done = train(*RUNS[1:-1], "seed=1", "hydra.run.dir=sweep/seed1")
    assert "sweep/seed1: already finished warning: mine.py changed since; for a result of" in " ".join(done.out.split())

    done = program("evaluate", "run=sweep/seed0", "pythonpath=[.]", cwd=tmp_path)
    assert "mine.py changed since the run: its network is built with other code" in done.err
    assert "mine.py" not in program("evaluate", "run=sweep/seed2", "pythonpath=[.]", cwd=tmp_path).err

    done = train("resume=longer", "trainer.max_epochs=3", "pythonpath=[.]")
    assert done.code == 0, done.err
    assert "longer: mine.py changed since the run was begun, which goes on with the new code" in " ".join(done.out.split())
    assert code("longer") == f"{code('sweep/seed0')}, later {code('sweep/seed2')}"


NOTEBOOK = """
import importlib, pathlib, sys, warnings
import convexp

def write(file, activation):
    pathlib.Path(file).parent.mkdir(exist_ok=True)
    pathlib.Path(file).write_text(pathlib.Path("net.txt").read_text().replace("ACTIVATION", activation))

def train(of, folder):
    settings = ("trainer=cpu", "trainer.max_epochs=1", "trainer.threads=1", "probes=none", f"pythonpath=[{of}]")
    own = ("model=own", "model.network._target_=mine.net")
    return convexp.train(*settings, *own, folder=folder, progress="progress" in folder)

def said(do):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            do()
        except convexp.errors.ConfigError as error:
            return str(error)
    return " ".join(str(warning.message) for warning in caught if "mine.py" in str(warning.message))

write("a/mine.py", "Identity")
write("b/mine.py", "Tanh")
train("a", "first")
print("OTHER", said(lambda: train("b", "other")))
write("a/mine.py", "Sigmoid")
train("a", "progress_edited")
sys.path.append("a")
importlib.reload(sys.modules["mine"])
train("a", "reloaded")
print("OPENED", said(lambda: convexp.runs.open("first")))
print("OPENED", said(lambda: convexp.runs.open("reloaded")))
"""


def test_a_process_that_goes_on_never_takes_one_code_for_another(program, tmp_path):
    (tmp_path / "net.txt").write_text(NET.format(activation="ACTIVATION"))
    (tmp_path / "notebook.py").write_text(NOTEBOOK)
    done = program("notebook.py", cwd=tmp_path)
    assert done.code == 0, done.err
    said = " ".join(done.out.split())
    imported, wanted = (re.escape(str(tmp_path / folder / "mine.py")) for folder in "ab")
    assert re.search(rf"OTHER model.network \(mine.net\): .* has imported mine from {imported}, and here it is {wanted};", said)
    assert not (tmp_path / "other").exists()
    assert "progress_edited: mine.py changed since this process imported the code, which it goes on with" in said
    assert re.search(r"OPENED first: mine.py changed since the run: its network is built with other code OPENED$", said)
    first, edited, reloaded = (
        json.loads((tmp_path / folder / "result.json").read_text())["versions"]["mine.py"]
        for folder in ("first", "progress_edited", "reloaded")
    )
    assert first == edited != reloaded


FAILING = """
from torch import nn

class Net(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.line, self.calls = nn.Linear(256, outputs), 0

    def forward(self, x):
        self.calls += 1
        if self.calls > {most}:
            raise RuntimeError("out of calls")
        return self.line(x.flatten(1))
"""


def test_a_training_that_fails_in_it_says_where_and_is_resumed_once_it_is_mended(program, tmp_path):
    (tmp_path / "mine.py").write_text(FAILING.format(most=100))  # in the second epoch, which has 51 batches, or later
    settings = (*SMALL, "model=own", "model.network._target_=mine.Net", "trainer.max_epochs=4", "hydra.run.dir=run")
    done = program("train", *settings, cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (1, 1), done.err
    said, command = done.err.strip().split("to resume: ")
    assert "mine.py, line 12: RuntimeError: out of calls" in said
    assert "Traceback" in (tmp_path / "run/train.log").read_text()
    assert command == "convexp-train resume=run"
    (tmp_path / "mine.py").write_text(FAILING.format(most=10**6))
    done = program(*shlex.split(command.removeprefix("convexp-")), cwd=tmp_path)
    assert done.code == 0, done.err
    assert "run: mine.py changed since" in " ".join(done.out.split())
    assert "mine.py changed" not in done.err  # it is said once
    assert json.loads((tmp_path / "run/result.json").read_text())["state"] == "finished"
