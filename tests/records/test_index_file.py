"""The index of a folder changes nothing but the time: it may be missing, out of date, damaged, or somebody else's."""

import json
import os
import shutil
import threading

import pandas as pd
import pytest
from fabricated_runs import kept, run, with_path

from convexp.files.json_files import write_json
from convexp.records import collect, index
from convexp.records.file_state import STEP, file_state, is_settled
from convexp.records.frame import columns
from convexp.records.index_file import FILE, MAGIC
from convexp.records.settings_table import SettingsTable
from convexp.reporting.render.csv_tables import runs_csv
from convexp.runs import load


@pytest.fixture(autouse=True)
def indexed(monkeypatch):
    """An index is written for a single run, and of files that have just been written."""
    monkeypatch.setattr(index, "FEWEST_NEW", 1)
    monkeypatch.setattr(index, "is_settled", lambda *_: True)


@pytest.fixture
def root(tmp_path):
    made = [run(seed, model, optimizer__lr=lr) for model in ("conv", "local") for lr in (0.1, 0.01) for seed in range(2)]
    for number, each in enumerate(made):
        each["path"] = f"{number % 2}/{each['name']}-{number}"
    made[1]["metrics"] |= {"epochs": 3, "large": 1e200}
    del made[2]["probes"]
    made[3] |= {"hardware": None, "loss": "mean over samples", "error": "a\nb"}
    made[4] |= {"state": "failed", "error": "it broke"}
    made[5]["config"]["trainer"]["big"] = 2**70  # more than MessagePack has
    kept(tmp_path, *made)
    (tmp_path / "0" / "damaged").mkdir()
    (tmp_path / "0" / "damaged" / "result.json").write_text("{")
    return tmp_path


def without_index(root, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(index, "read_blocks", lambda _: None)
        patch.setattr(index, "FEWEST_NEW", 10**9)
        return collect(root)


def change(root, run, **values):
    file = next(root.glob(f"*/{run}/result.json"))
    write_json(file, json.loads(file.read_text()) | values)


def swap_times(root):
    """Another content of the same size and time, as on a file system with skewed clocks."""
    file = next(root.glob("*/conv-seed0-0/result.json"))
    before, text = file.stat(), file.read_text()
    other = file.with_name("other")
    other.write_text(text.replace('"test/acc": 0.97', '"test/acc": 0.42'))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert other.stat().st_size == before.st_size
    other.replace(file)


CHANGES = {
    "nothing": lambda root: None,
    "another result": lambda root: change(root, "conv-seed0-0", metrics={"test/acc": 0.1}),
    "another result of the same size and time": swap_times,
    "begun again": lambda root: change(root, "conv-seed0-0", state="running"),
    "damaged": lambda root: (root / "0" / "conv-seed0-0" / "result.json").write_text("{"),
    "removed": lambda root: shutil.rmtree(root / "0" / "conv-seed0-0"),
    "record removed": lambda root: (root / "0" / "conv-seed0-0" / "result.json").unlink(),
    "added": lambda root: kept(root, with_path("0/a-new", run(7)), with_path("new", run(8, "dense"))),
    "moved": lambda root: (root / "0").rename(root / "other"),
    "copied": lambda root: shutil.copytree(root / "0", root / "copy"),
    "folder of runs becomes a run": lambda root: write_json(root / "0" / "result.json", run(3)),
    "index cut off": lambda root: (root / FILE).write_bytes((root / FILE).read_bytes()[:-1]),
    "index longer": lambda root: (root / FILE).write_bytes((root / FILE).read_bytes() + b"x"),
    "index empty": lambda root: (root / FILE).write_bytes(b""),
    "index of another version": lambda root: (root / FILE).write_bytes((root / FILE).read_bytes().replace(b"runs", b"rums", 1)),
    "index a folder": lambda root: [(root / FILE).unlink(), (root / FILE).mkdir()],
    "index removed": lambda root: (root / FILE).unlink(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_has_happened_records_and_tables_are_those_of_the_files(root, monkeypatch, what):
    collect(root)
    assert (root / FILE).is_file()
    CHANGES[what](root)
    wanted = without_index(root, monkeypatch)
    first, second = collect(root), collect(root)  # with the old index, and with the one that is written then
    assert first == second == wanted
    assert runs_csv(first) == runs_csv(wanted)
    pd.testing.assert_frame_equal(load(root), pd.DataFrame(columns(wanted)))


@pytest.mark.parametrize("place", [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_any_damaged_byte_is_noticed(root, monkeypatch, place):
    wanted = collect(root)
    content = bytearray((root / FILE).read_bytes())
    content[int(place * len(content))] ^= 1
    (root / FILE).write_bytes(content)
    assert collect(root) == wanted
    assert (root / FILE).read_bytes() != content  # it has been written again


def test_finished_runs_are_not_read_again_and_all_others_are(root, monkeypatch):
    collect(root)
    read, load_record = [], index.load_record
    monkeypatch.setattr(index, "load_record", lambda folder, *a: (read.append(folder.name), load_record(folder, *a))[1])
    collect(root)
    assert sorted(read) == ["damaged", "local-seed0-4", "local-seed1-5"]


def test_equal_sections_are_one_object_wherever_they_were_read(root):
    collect(root)
    kept(root, with_path("new", run(0)))
    found = {record.path: record for record in collect(root)}
    for section in ("data", "versions", "git", "hardware", "network"):
        assert getattr(found["new"], section) is getattr(found["0/conv-seed0-0"], section)
    assert found["new"].config["model"] is found["0/conv-seed0-0"].config["model"]


def test_a_table_has_the_types_that_rows_would_give_it(root):
    found = columns(collect(root))
    rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    pd.testing.assert_frame_equal(load(root), pd.DataFrame(rows, columns=list(found)))


def test_maps_are_left_out_only_where_nobody_asks_for_them(root):
    assert any(record.probes for record in collect(root))
    assert not any(record.probes for record in index.records_below(root, with_maps=False) if record.path.endswith("-0"))
    kept(root, *(with_path(f"new{seed}", run(seed)) for seed in range(9)))
    index.records_below(root, with_maps=False)  # writes the index, with the maps
    assert all(record.probes for record in collect(root) if record.path.startswith("new"))


def test_a_file_that_has_just_been_written_is_not_relied_on(root, monkeypatch):
    """Within one step of the clock a second change might leave size, times and inode as they were."""
    state = file_state(str(root / "0" / "conv-seed0-0" / "result.json"))
    assert state is not None
    time = max(state[1:3])
    assert not is_settled(state, time)
    assert not is_settled(state, time + STEP)
    assert is_settled(state, time + STEP + 1)
    monkeypatch.undo()
    monkeypatch.setattr(index, "FEWEST_NEW", 1)
    collect(root)
    assert not len(index._read_rows(root))


def test_a_few_runs_get_no_index(root, monkeypatch):
    monkeypatch.setattr(index, "FEWEST_NEW", 100)
    collect(root)
    assert not (root / FILE).exists()


def test_an_index_that_no_convexp_wrote_is_passed_over(root, monkeypatch):
    wanted = collect(root)
    rows = index._read_rows(root)
    for row, _ in rows._rows.values():
        row.keys = 10**6
    index.write_blocks(root / FILE, *rows.encode(set(rows._rows)))
    assert (root / FILE).read_bytes().startswith(MAGIC)
    assert collect(root) == wanted


def test_readers_agree_while_runs_finish(tmp_path):
    """Each reader finds every run that had finished before it began, whoever writes the index meanwhile."""
    kept(tmp_path, *(with_path(f"{i:03}", run(i)) for i in range(20)))
    finished, wrong, done = [20], [], threading.Event()

    def read():
        while not done.is_set():
            before = finished[0]
            found = collect(tmp_path)
            after = finished[0]
            if not before <= len(found) <= after + 1 or any(each.state != "finished" for each in found):
                wrong.append((before, [(each.path, each.state, each.error) for each in found], after))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    for i in range(20, 60):
        (tmp_path / f"{i:03}").mkdir()
        write_json(tmp_path / f"{i:03}" / "result.json", {k: v for k, v in run(i).items() if k != "path"})
        finished[0] = i + 1
    done.set()
    for each in readers:
        each.join()
    assert not wrong
    assert [each.path for each in collect(tmp_path)] == [f"{i:03}" for i in range(60)]


def test_settings_by_column_are_those_of_each_run(root):
    found = collect(root)
    table = SettingsTable(found)
    for number, record in enumerate(found):
        own = table.settings(number)
        assert {name: values[number] for name in table.names if (values := table.column(name, ...))[number] is not ...} == own
        assert bool(own) is (record.config is not None)
    assert "optimizer.lr" in table.differing()
    assert "optimizer._target_" not in table.differing()
