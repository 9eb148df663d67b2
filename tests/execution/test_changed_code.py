"""Code of the user's own that is changed between runs, which no setting tells: real processes, as a user starts them."""

import json
import re
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

    done = program("evaluate", "run=sweep/seed0", "pythonpath=[.]", cwd=tmp_path)
    assert "mine.py changed since the run: its network is built with other code" in done.err
    assert "mine.py" not in program("evaluate", "run=sweep/seed2", "pythonpath=[.]", cwd=tmp_path).err

    done = train("resume=longer", "trainer.max_epochs=3", "pythonpath=[.]")
    assert done.code == 0, done.err
    assert "longer: mine.py changed since the run was begun, which goes on with the new code" in " ".join(done.out.split())
    assert code("longer") == f"{code('sweep/seed0')}, later {code('sweep/seed2')}"
