"""What is printed as a command does what it says: each is shell_path_override, from wherever somebody may be."""

import html
import re
import shlex
from pathlib import Path

import pytest
from conftest import SMALL
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from convexp.config.command_line.format import shell_path_override

ODD = "my results [1], it's \N{LATIN SMALL LETTER E WITH ACUTE}"
STUDY = """
# @package _global_
defaults:
  - base
  - _self_
study: {name: own, question: Which one wins, grid: {model: [conv, local], seed: [0, 1]}, compare: {model: conv}}
only_costs: true
"""


def commands(text: str, program: str) -> list[list[str]]:
    """The arguments of the commands in a text, as a shell takes them apart."""
    found = re.findall(rf"{program} (.*?)(?:</code>|, or start|$)", html.unescape(text), re.MULTILINE)
    return [shlex.split(line) for line in found]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another working directory, in which nothing may be made."""

    def go() -> Path:
        folder = tmp_path / "elsewhere"
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        return folder

    return go


def goes_on(call, page: Path, elsewhere, runs: int) -> None:
    """The page's command finds all runs finished, in the folder of the page, and makes no other."""
    (command,) = commands(page.read_text(encoding="utf-8"), "convexp-train")
    here = elsewhere()
    done = call("train", *command)
    assert done.code == 0, done.err
    assert f"{runs} runs in {page.parent}: {runs} already finished" in done.out
    assert list(here.iterdir()) == []


def test_a_sweep_in_a_folder_of_its_time_goes_on_there(call, tmp_path, elsewhere):
    assert call("train", "-m", "only_costs=true", "seed=0,1", *shlex.split(shell_path_override("outputs", Path(ODD)))).code == 0
    (page,) = (tmp_path / ODD / "sweeps").glob("*/report.html")
    goes_on(call, page, elsewhere, runs=2)
    assert len(list((tmp_path / ODD / "sweeps").iterdir())) == 1


def test_a_study_of_ones_own_folder_of_settings_goes_on(call, tmp_path, elsewhere):
    (tmp_path / "my conf" / "study").mkdir(parents=True)
    (tmp_path / "my conf" / "study" / "own.yaml").write_text(STUDY)
    assert call("train", "--config-dir", "my conf", "study=own").code == 0
    goes_on(call, tmp_path / "outputs" / "studies" / "own" / "report.html", elsewhere, runs=4)


def test_a_folder_that_was_moved_goes_on_where_it_is(call, tmp_path, elsewhere):
    assert call("train", "-m", "only_costs=true", "seed=0,1", "hydra.sweep.dir=sweep").code == 0
    (tmp_path / "sweep").rename(tmp_path / "moved")
    assert call("report", "moved").code == 0
    goes_on(call, tmp_path / "moved" / "report.html", elsewhere, runs=2)
    assert not (tmp_path / "sweep").exists()


def test_an_interrupted_run_goes_on_as_it_and_its_report_say(call, tmp_path, interrupted_at, elsewhere):
    with interrupted_at(1, 1):
        done = call("train", *SMALL, *shlex.split(shell_path_override("hydra.run.dir", Path("runs", ODD))))
    assert done.code == 130
    (hint,) = commands(done.out, "to resume: convexp-train")
    (listed,) = commands(call("report", "runs").out, "to resume: convexp-train")
    done = call("train", *hint)
    assert done.code == 0, done.err
    elsewhere()
    done = call("train", *listed)
    assert "already finished" in done.out, done.err


def test_an_interrupted_sweep_goes_on_as_it_says(call, tmp_path, interrupted_at):
    one_by_one = ("-m", *SMALL, "seed=0,1", "hydra.launcher.processes=1")
    with interrupted_at(1, 1):
        done = call("train", *one_by_one, *shlex.split(shell_path_override("outputs", Path(ODD))))
    assert done.code == 130
    (hint,) = commands(done.out, "interrupted; to go on: convexp-train")
    done = call("train", *hint)
    assert done.code == 0, done.err
    assert len(list((tmp_path / ODD / "sweeps").iterdir())) == 1


def test_a_run_that_is_interrupted_before_it_begins_says_so_and_leaves_no_folder(call, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("convexp.cli.run.set_up", interrupted)
    done = call("train", *SMALL, "hydra.run.dir=runs/mine")
    assert done.code == 130
    assert done.out.endswith("interrupted before the run had begun: nothing was kept\n")
    assert list(tmp_path.iterdir()) == []


@given(st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), min_size=1))
def test_any_path_is_read_as_it_was(text):
    (word,) = shlex.split(shell_path_override("resume", Path(text)))
    value = OverridesParser.create().parse_override(word).value()
    assert str(getattr(value, "text", value)).replace("\\${", "${") == str(Path(text))
