"""The six tasks of docs/extending.md, done as the page says by somebody in an empty folder: files copied, commands run."""

import json

import pytest
from conftest import ROOT
from newcomer import Newcomer, sections

pytestmark = pytest.mark.e2e
PAGE = sections(ROOT / "docs" / "extending.md")


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
    return Newcomer(tmp_path_factory.mktemp("home"))


@pytest.fixture
def follow(newcomer, tmp_path):
    return lambda title: newcomer.follow(PAGE[title], tmp_path)


def results(folder):
    return [json.loads(file.read_text()) for file in sorted(folder.rglob("result.json"))]


def test_own_images(follow, tmp_path):
    said = follow("1. Your own images")
    first, second = sorted(results(tmp_path / "outputs/runs"), key=lambda result: result["config"]["data"]["name"])
    assert {first["state"], second["state"]} == {"finished"}
    assert (first["config"]["data"]["name"], second["config"]["data"]["name"]) == ("image_folder", "photos")
    assert first["metrics"]["test/acc"] > 0.8
    assert "test accuracy" in said


def test_own_study(follow, tmp_path):
    said = follow("2. Your own study")
    assert [result["state"] for result in results(tmp_path / "outputs/studies/few_images")] == ["finished"] * 6
    assert (tmp_path / "outputs/studies/few_images/report.html").is_file()
    assert "6 already finished" in said
    assert "local" in said.splitlines()[-1]
    follow("Editors")
    assert (tmp_path / "conf/.schemas/train.json").is_file()
    assert "$schema=../.schemas/train.json" in (tmp_path / "conf/study/few_images.yaml").read_text().splitlines()[1]


def test_own_layer(follow, tmp_path):
    said = follow("3. Your own layer")
    (result,) = results(tmp_path / "run")
    assert result["config"]["model"]["wiring"]["block"] == 3
    assert "side of the blocks" in said


def test_network_of_torchvision_under_all_probes_of_behaviour(follow, tmp_path):
    said = follow("4. A network of torchvision, under all probes of behaviour")
    assert "consistency/all" in said
    assert list((tmp_path / "measured").iterdir())
    (result,) = results(tmp_path / "run")
    behaviour = {
        file.stem
        for file in (ROOT / "convexp/probes/behaviour").glob("*.py")
        if (ROOT / f"conf/probes/{file.stem}.yaml").exists()
    }
    assert set(result["probes"]) == behaviour - {"feature_sensitivity"}  # of data=srhm only
    assert {name for name, found in result["probes"].items() if "skipped" in found} == {"localisation"}
    assert result["metrics"]["test/acc"] > 0.8


def test_run_from_a_notebook(follow, tmp_path):
    said = follow("5. A run from a notebook")
    assert [result["state"] for result in results(tmp_path)] == ["finished"] * 3
    assert said.count("(as noted)") == 4


def test_own_loss_and_callback(follow, tmp_path):
    said = follow("6. Your own loss and callback")
    (result,) = results(tmp_path / "run")
    assert result["config"]["task"]["gamma"] == 1
    assert "weight_norm" in (tmp_path / "run/metrics.csv").read_text().splitlines()[0]
    assert said.count("(as noted)") == 4
