"""The tutorial, done by somebody who copies its files and its commands, with fewer seeds and epochs in the study."""

import json
import re
from dataclasses import replace

import pytest
from conftest import ROOT
from newcomer import Block, Newcomer, sections

PAGES = ("first_run", "your_images", "first_study")
FEWER = {"seed: range(5)": "seed: [0]", "max_epochs: 10": "max_epochs: 1", "seed=range(7)": "seed=range(2)"}


def blocks(page: str) -> list[Block]:
    """What the page has the reader write and run, but for commands of the shell."""
    found = [block for part in sections(ROOT / "docs/tutorial" / f"{page}.md").values() for block in part]
    return [replace(block, text=fewer(block.text)) for block in found if not block.text.startswith("ls ")]


def fewer(text: str) -> str:
    for written, done in FEWER.items():
        text = text.replace(written, done)
    return text


@pytest.mark.e2e
def test_the_tutorial_from_its_first_command_to_its_last(tmp_path_factory):
    newcomer, folder = Newcomer(tmp_path_factory.mktemp("home")), tmp_path_factory.mktemp("tutorial")
    first, images, study = (newcomer.follow(blocks(page), folder) for page in PAGES)
    assert first.count("(as noted)") == 4
    assert re.search(r"parameters +105,994 +10,186", first)  # as the page shows
    assert len(list(folder.glob("photos/*/*.png"))) == 2 * 260
    assert "6,882 parameters, 303,104 FLOPs" in images
    assert "3 new (dry run, nothing is written)" in study
    assert "3 already finished" in study
    results = [json.loads(file.read_text()) for file in folder.glob("outputs/studies/tiles/*/result.json")]
    assert [result["state"] for result in results] == ["finished"] * 6
    assert {result["network"]["parameters"] for result in results} == {1_313_282, 153_090, 6_882}
    assert re.search(r"test +conv +local", study)  # another baseline
    assert re.search(r"^conv .* 2$", study, re.MULTILINE)  # the table of the last script, with two seeds
    page = "".join((ROOT / "docs/tutorial" / f"{name}.md").read_text(encoding="utf-8") for name in PAGES)
    assert all(written in page for written in FEWER)
