"""The six tasks of docs/extending.md, done as the page says by somebody in an empty folder: files copied, commands run."""

import json

import pytest
from conftest import ROOT
from newcomer import Newcomer, sections

pytestmark = pytest.mark.e2e
PAGE = sections(ROOT / "docs" / "extending.md")


@pytest.fixture(scope="module")
def newcomer():
    newcomer = Newcomer()
    yield newcomer
    newcomer.leave()


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


def test_own_layer(follow, tmp_path):
    said = follow("3. Your own layer")
    (result,) = results(tmp_path / "run")
    assert result["config"]["model"]["wiring"]["block"] == 3
    assert "side of the blocks" in said
