"""What a page says that it was made from: all that it shows, and never the times of files."""

import copy
from dataclasses import replace

import pytest
from fabricated_report import three_layers, train_sizes
from fabricated_runs import kept, planned, run
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.reporting.origin import digest, recorded_digest
from convexp.reporting.render.files import PAGE, update_report, write_report
from convexp.reporting.report import Report, build_report
from convexp.reporting.unfinished import Unfinished

RUNS = [run(s, m) for m in ("conv", "local") for s in range(2)]


def of(runs) -> Report:
    return replace(three_layers(), runs=runs)


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_any_change_of_any_run_is_another_origin(data):
    changed = copy.deepcopy(RUNS)
    place = data.draw(st.sampled_from(changed))
    while isinstance(place[key := data.draw(st.sampled_from(sorted(place)))], dict) and place[key]:
        place = place[key]
    place[key] = [place[key]]
    assert digest(of(changed)) != digest(of(RUNS)) == digest(of(copy.deepcopy(RUNS)))


def test_so_is_a_network_to_play_with(tmp_path):
    report = three_layers(tmp_path)
    before, folder = digest(report), tmp_path / report.groups[0].runs[0].path
    folder.mkdir(parents=True)
    (folder / "playground.json").write_text("{}")
    assert digest(report) != before


def test_so_is_what_is_missing_planned_or_doubtful():
    plan = planned({"model": ["conv", "local"], "seed": [0, 1]}, (run(0), {"model": "conv", "seed": 0}))
    one = of(RUNS)
    others = [
        replace(one, plan=plan),
        replace(one, title="Another?"),
        replace(one, unfinished=[Unfinished("x", "failed", "y")]),
        replace(one, provenance=train_sizes().provenance, runs=RUNS[:-1]),
        replace(one, provenance=replace(one.provenance, warnings=["new"])),
    ]
    assert len({digest(other) for other in [one, *others]}) == 1 + len(others)


def test_the_page_notes_it(tmp_path):
    found = build_report(kept(tmp_path, *RUNS))
    assert recorded_digest(tmp_path / PAGE) is None
    write_report(found, tmp_path)
    assert recorded_digest(tmp_path / PAGE) == digest(found)


FAR_DOWN = "x" * 5000 + '<meta name="convexp-made-from" content="ab">'


@pytest.mark.parametrize("text", ["", "<html>no word of it</html>", "\xff", FAR_DOWN])
def test_another_page_says_nothing(tmp_path, text):
    (tmp_path / PAGE).write_text(text, encoding="latin-1")
    assert recorded_digest(tmp_path / PAGE) is None


def test_tables_are_written_always_and_the_page_only_if_it_is_of_something_else(tmp_path):
    found = build_report(kept(tmp_path, *RUNS))
    write_report(found, tmp_path)
    before = (tmp_path / PAGE).stat().st_mtime_ns
    (tmp_path / "runs.csv").write_text("old")
    update_report(found, tmp_path)
    assert "conv-seed1" in (tmp_path / "runs.csv").read_text()
    assert (tmp_path / PAGE).stat().st_mtime_ns == before
    update_report(replace(found, title="Another?"), tmp_path)
    assert "Another?" in (tmp_path / PAGE).read_text()
