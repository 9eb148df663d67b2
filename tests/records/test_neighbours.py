"""The runs of other sweeps: found wherever they lie, with the plan of a sweep as a guide that is not trusted."""

import json

import pytest
from fabricated_runs import kept, run, with_path

from convexp.records import RunRecord, neighbours
from convexp.records.index import FILE as INDEX
from convexp.records.index import STAGING, records_below
from convexp.records.neighbours import collections_below, runs_below, runs_in
from convexp.records.plan import Plan, PlannedRun, write_plan


def runs_with_identity(root, identities, skipped, update):
    return runs_in(collections_below(root, skipped), identities, skipped, update)


def planned(root, *runs):
    write_plan(root, Plan(None, None, {}, {}, [PlannedRun(folder, identity, {}) for folder, identity in runs]))


@pytest.fixture
def outputs(tmp_path):
    """Two sweeps, one with a plan; runs of their own; a run by itself; and what is none."""
    kept(tmp_path / "studies" / "one", *(with_path(f"seed{i}", run(i), identity=f"id{i}") for i in range(3)))
    kept(tmp_path / "sweeps" / "two", *(with_path(f"deep/seed{i}", run(i), identity=f"id{i}") for i in range(2)))
    kept(tmp_path / "runs", with_path("single", run(5), identity="id5"), with_path("first", run(0), identity="id0"))
    kept(tmp_path, with_path("alone/run", run(6), identity="id6"))
    kept(tmp_path / "studies" / "one", with_path(f"{STAGING}x", run(7), identity="id7"))
    (tmp_path / "empty" / "folder").mkdir(parents=True)
    planned(tmp_path / "studies" / "one", *((f"seed{i}", f"id{i}") for i in range(3)))
    return tmp_path


def found(runs, root):
    return sorted(str(folder.relative_to(root)) for folder, _ in runs)


def test_every_run_is_found_once_as_in_a_look_at_all(outputs):
    everything = sorted(record.path for record in records_below(outputs))
    assert len(everything) == 8
    assert found(runs_below(outputs, update=False), outputs) == everything
    names = [str(folder.relative_to(outputs)) for folder in collections_below(outputs)]
    assert names == ["alone", "runs", "studies/one", "sweeps/two/deep"]


def test_those_with_an_identity_are_found_and_ones_own_sweep_is_left_out(outputs):
    own = outputs / "sweeps" / "two"
    runs = list(runs_with_identity(outputs, {"id0", "id6", "none"}, own, update=False))
    assert found(runs, outputs) == ["alone/run", "runs/first", "studies/one/seed0"]
    assert all(isinstance(record, RunRecord) and record.identity in ("id0", "id6") for _, record in runs)


def test_a_plan_is_a_guide_and_the_record_is_the_truth(outputs):
    one = outputs / "studies" / "one"
    planned(one, ("seed1", "wanted"), ("../../runs/single", "wanted"), ("/etc", "wanted"), ("missing", "wanted"))
    assert list(runs_with_identity(outputs, {"wanted"}, outputs / "none", update=False)) == []
    content = json.loads((one / "seed1" / "result.json").read_text())
    (one / "seed1" / "result.json").write_text(json.dumps(content | {"identity": "wanted"}))
    assert found(runs_with_identity(outputs, {"wanted"}, outputs / "none", update=False), outputs) == ["studies/one/seed1"]
    (one / "study.json").write_text('{"format": 99}')  # of a newer version: its runs are looked at without it
    assert found(runs_with_identity(outputs, {"wanted"}, outputs / "none", update=False), outputs) == ["studies/one/seed1"]


def test_the_index_of_a_large_sweep_is_used_and_written_only_if_it_may_be(outputs, monkeypatch):
    many = [with_path(f"seed{i}", run(i), identity=f"many{i}") for i in range(120)]
    large = kept(outputs / "studies" / "large", *many)
    wanted = {made["identity"] for made in many}
    assert len(list(runs_with_identity(outputs, wanted, outputs / "none", update=False))) == 120
    assert not (large / INDEX).exists()
    assert len(list(runs_with_identity(outputs, wanted, outputs / "none", update=True))) == 120
    assert (large / INDEX).exists()


def test_an_index_above_all_sweeps_makes_them_not_one(outputs, monkeypatch):
    """As a report on all outputs may write it."""
    (outputs / INDEX).write_bytes(b"")
    names = [str(folder.relative_to(outputs)) for folder in collections_below(outputs)]
    assert names == ["alone", "runs", "studies/one", "sweeps/two/deep"]
    read = []
    load = neighbours.load_record
    monkeypatch.setattr(neighbours, "load_record", lambda folder, decoder: read.append(folder.name) or load(folder, decoder))
    runs = runs_with_identity(outputs / "studies", {"id1"}, outputs / "none", update=False)
    assert found(runs, outputs) == ["studies/one/seed1"]
    assert read == ["seed1"]
    assert found(runs_with_identity(outputs, {"id1"}, outputs / "studies", update=False), outputs) == ["sweeps/two/deep/seed1"]


def test_ones_own_sweep_is_left_out_also_of_a_folder_that_holds_runs_itself(outputs):
    kept(outputs, with_path("loose", run(0), identity="id0"))
    assert found(runs_with_identity(outputs, {"id0"}, outputs / "runs", update=False), outputs) == [
        "loose",
        "studies/one/seed0",
        "sweeps/two/deep/seed0",
    ]


def test_a_folder_that_is_a_run_and_links_are_no_way_round(outputs, tmp_path):
    (outputs / "studies" / "link").symlink_to(outputs / "runs")
    assert len(list(runs_below(outputs, update=False))) == 8
    assert found(runs_below(outputs / "runs" / "single", update=False), outputs) == ["runs/single"]
