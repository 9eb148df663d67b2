"""A folder of runs may come from anybody: a report of it touches nothing outside, and ends."""

import os

import pytest
from fabricated_runs import run

from convexp.files.json_files import write_json
from convexp.reporting.render.files import write_report
from convexp.reporting.report import build_report


@pytest.fixture
def folder(tmp_path):
    for seed in (0, 1):
        (tmp_path / "runs" / f"conv-{seed}").mkdir(parents=True)
        write_json(tmp_path / "runs" / f"conv-{seed}" / "result.json", run(seed))
    return tmp_path / "runs"


@pytest.mark.parametrize("name", ["report.html", "summary.csv", "figures/radius.svg", "figures/overview.png"])
def test_links_are_replaced_and_not_followed(folder, tmp_path, name):
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).symlink_to(victim)
    write_report(build_report(folder), folder)
    assert victim.read_text() == "precious"


def test_figures_that_lead_elsewhere_are_refused(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (folder / "figures").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="is a link"):
        write_report(build_report(folder), folder)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_pipes_are_not_waited_for(folder):
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "result.json")
    for name in ("metrics.csv", "kernels_stage0.png"):
        os.mkfifo(folder / "conv-0" / name)
    found = build_report(folder)
    write_report(found, folder)
    assert [(run.path, run.state) for run in found.unfinished] == [("pipe", "damaged")]


def test_maps_of_odd_depth_are_left_out(folder):
    made = run(0)
    made["probes"] = {"shift_map": {"maps": {"radius": [[1.0], [0.5]], "accuracy": [[[1.0]]]}}}
    write_json(folder / "conv-0" / "result.json", made)
    write_report(build_report(folder), folder)
