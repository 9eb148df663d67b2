"""Lesson 11 looks into any run that convexp can open: with feature maps, and without."""

import runpy
import sys

import pytest
from conftest import ROOT

LESSON = ROOT / "scripts" / "lessons" / "11_looking_into_a_network.py"


@pytest.fixture
def look(monkeypatch, tmp_path, capsys):
    """What the lesson says of a run, as a plain script in this process."""

    def run(folder):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [str(LESSON), f"run={folder}"])
        capsys.readouterr()
        runpy.run_path(str(LESSON), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return run


TINY = ("data=digits", "trainer=cpu", "trainer.max_epochs=1", "trainer.threads=1", "probes=none", "logger=none")


@pytest.mark.e2e
def test_a_convolution_moves_its_maps_along(finished_run, look):
    lines = look(finished_run())
    assert "conv: equivariance error of stages.0 0.00" in lines
    assert sum(".png: " in line for line in lines) == 4


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("model", "pictures", "said"),
    [
        (("model=mlp",), 2, "mlp: there are no weights on the image to show: the network has no layer on images"),
        (
            ("model=vit_tiny", "model.network.layers=1", "model.network.hidden_dim=12"),
            4,
            "vit_tiny: no map of encoder is shown: its output (17x12 for an image) is a sequence, not a map",
        ),
    ],
)
def test_what_does_not_apply_to_a_network_is_said(call, tmp_path, look, model, pictures, said):
    done = call("train", *model, *TINY, "hydra.run.dir=run")
    assert done.code == 0, done.err
    lines = look(tmp_path / "run")
    assert said in lines
    assert sum(".png: " in line for line in lines) == pictures
