"""reuse=true: runs that others have finished are taken over, whole or not at all, and only if they are what is wanted."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
from conftest import ROOT, SMALL, read
from sweeps import until
from trees import tree

from convexp.config.hydra_files import is_signed
from convexp.records import RunFolder, RunStatus, read_record
from convexp.records.index import STAGING, run_folders
from convexp.records.statuses import status_of
from convexp.studies.planning import Job
from convexp.studies.reuse import take_over as taking
from convexp.studies.reuse.candidates import Finished, Reusable
from convexp.studies.reuse.staging import remove_staged
from convexp.studies.reuse.take_over import NotTakenError, take_over
from convexp.studies.reuse.take_over_all import take_over_all

SWEEP = ("-m", *SMALL, "trainer.max_epochs=1", "probes=shift_map")
TIMED = "seconds"
NET = """
from torch import nn

def net(outputs):
    return nn.Sequential(nn.Flatten(), nn.Linear(256, outputs), {}())
"""


def metrics(folder):
    return {k: v for k, v in read(folder)["metrics"].items() if TIMED not in k}


def rows(file):
    with file.open() as opened:
        return [{k: v for k, v in row.items() if TIMED not in k} for row in csv.DictReader(opened)]


def table_row(folder):
    """What the run's row of the HParams table says: its configuration, and its cells."""
    from tensorboard.plugins.hparams import metadata

    from convexp.tracking.event_files import read_summary
    from convexp.tracking.hparams_table import FILE

    value = read_summary(folder / FILE).value[0]
    info = metadata.parse_session_start_info_plugin_data(value.metadata.plugin_data.content)
    return info.group_name, {name: str(cell) for name, cell in info.hparams.items()}


def test_what_is_taken_over_is_what_would_have_been_computed(call, tmp_path):
    outputs = tmp_path / "outputs"
    assert call("train", *SWEEP, "hydra.sweep.dir=outputs/first", "seed=0,1").code == 0
    grid = ("model=conv,local", "seed=0,1")
    before = tree(outputs)
    hinted = call("train", *SWEEP, "hydra.sweep.dir=outputs/second", *grid, "dry_run=true")
    assert "2 of 4 runs are finished in other folders: reuse=true takes them over" in hinted.out
    hinted = call("train", *SWEEP, "hydra.sweep.dir=outputs/second", *grid, "dry_run=true", "reuse=true")
    assert re.findall(r"^ (\S+) +would be taken over from (\S+)", hinted.out, re.MULTILINE) == [
        (f"conv-seed{seed}", f"outputs/first/seed{seed}") for seed in (0, 1)
    ]
    assert tree(outputs) == before

    done = call("train", *SWEEP, "hydra.sweep.dir=outputs/second", *grid, "reuse=true")
    assert done.code == 0, done.err
    assert "2 runs taken over from outputs/first" in done.out
    assert "4 runs in outputs/second: 2 already finished, 2 new" in done.out
    assert tree(outputs / "first") == {k[6:]: v for k, v in before.items() if k.startswith("first/")}
    second = outputs / "second"
    taken = read_record(second / "conv-seed0")
    assert taken.taken_over.folder == str(outputs / "first" / "seed0")
    assert read_record(second / "local-seed0").taken_over is None
    assert (second / "conv-seed0/checkpoints/best.ckpt").samefile(outputs / "first/seed0/checkpoints/best.ckpt")
    assert is_signed(second / "conv-seed0")
    assert not any(path.is_symlink() or path.name.startswith(STAGING) for path in second.rglob("*"))
    assert "taken over from" in (second / "report.html").read_text()

    full = call("train", *SWEEP, "hydra.sweep.dir=elsewhere/third", *grid, "outputs=elsewhere")
    assert full.code == 0, full.err
    third = tmp_path / "elsewhere" / "third"
    for name in ("conv-seed0", "conv-seed1", "local-seed0", "local-seed1"):
        assert metrics(second / name) == metrics(third / name)
        assert table_row(second / name) == table_row(third / name)
    for file in ("summary.csv", "comparisons.csv"):
        assert rows(second / file) == rows(third / file)

    shutil.rmtree(outputs / "first")  # nothing of it is needed any more
    evaluated = call("evaluate", "run=outputs/second/conv-seed0", "accelerator=cpu")
    assert evaluated.code == 0, evaluated.err
    again = call("train", *SWEEP, "hydra.sweep.dir=outputs/fourth", "seed=0,1", "reuse=true")
    assert again.code == 0, again.err
    assert "2 runs in outputs/fourth: 2 already finished" in again.out
    assert read_record(outputs / "fourth" / "seed0").taken_over.folder == str(outputs / "first" / "seed0")
    compared = call("diff", "outputs/second/conv-seed0", "outputs/fourth/seed0").out
    assert "same settings, same bits" in compared
    assert "taken over from" in compared


@pytest.fixture
def source(finished_run, tmp_path):
    return finished_run("probes=shift_map", folder="source")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "sweep").mkdir()
    return tmp_path / "sweep"


def identity(source):
    return read(source)["identity"]


def unsign(source):
    (source / ".hydra" / "signature").unlink()


def change(source):
    file = source / ".hydra" / "config.yaml"
    file.write_text(file.read_text().replace("seed: 0", "seed: 1"))


def lose_checkpoint(source):
    (source / "checkpoints" / "best.ckpt").unlink()


def lead_out(source):
    (source / "note.json").symlink_to("/etc/hostname")


def interrupt(source):
    file = source / "result.json"
    file.write_text(file.read_text().replace('"state": "finished"', '"state": "interrupted"'))


def other_record(source):
    """The record of another run beside a configuration that we have signed."""
    file = source / "result.json"
    file.write_text(file.read_text().replace(identity(source), "0123456789abcdef"))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (unsign, "it is not signed"),
        (change, "its configuration has changed since it was signed"),
        (lose_checkpoint, "it is not the finished run any more"),
        (interrupt, "it is not the finished run any more"),
        (lead_out, "leads out of the run's folder"),
        (other_record, "the identity of its configuration"),
    ],
)
def test_what_is_not_ours_or_not_whole_is_not_taken(source, root, damage, said):
    damage(source)
    before = tree(source)
    with pytest.raises(NotTakenError, match=said):
        take_over(source, root / "run", root, identity(source))
    assert list(root.iterdir()) == []
    assert tree(source) == before


def test_a_run_with_other_code_of_the_users_own_is_not_taken(call, tmp_path):
    (tmp_path / "mine.py").write_text(NET.format("nn.Identity"))
    settings = ("-m", "trainer=cpu", "trainer.threads=1", "trainer.max_epochs=1", "probes=none", "pythonpath=[.]", "seed=0")
    own = (*settings, "model=own", "model.network._target_=mine.net", "reuse=true")
    assert call("train", *own, "hydra.sweep.dir=outputs/one").code == 0
    assert "taken over from" in call("train", *own, "hydra.sweep.dir=outputs/two").out
    del sys.modules["mine"]
    (tmp_path / "mine.py").write_text(NET.format("nn.Tanh"))
    done = call("train", *own, "hydra.sweep.dir=outputs/three")
    assert done.code == 0, done.err
    assert "seed0: not taken over: mine.py is another one here" in done.out
    before, now = (read(tmp_path / f"outputs/{each}/digits-own-seed0")["versions"]["mine.py"] for each in ("one", "three"))
    assert before != now


def test_a_run_at_which_a_process_works_is_not_taken(source, root):
    with RunFolder(source, identity(source)), pytest.raises(NotTakenError, match="another process is working on it"):
        take_over(source, root / "run", root, identity(source))
    assert list(root.iterdir()) == []


def test_nothing_is_put_in_the_place_of_something(source, root):
    (root / "run").mkdir()
    (root / "run" / "notes.txt").write_text("mine")
    with pytest.raises(NotTakenError, match="its folder holds files already"):
        take_over(source, root / "run", root, identity(source))
    assert [path.name for path in root.rglob("*")] == ["run", "notes.txt"]


def test_what_an_early_kill_has_left_is_no_hindrance(source, root):
    with RunFolder(root / "run", identity(source)):
        pass
    assert {path.name for path in (root / "run").iterdir()} == {".lock", ".lease-1"}
    (root / "study.json").write_text("{}")
    take_over(source, root / "run", root, identity(source))
    assert status_of(root / "run", identity(source)) is RunStatus.FINISHED


def test_a_run_that_changes_meanwhile_is_not_taken(source, root, monkeypatch):
    copy = taking.link_or_copy

    def copy_and_change(file, target, link):
        copy(file, target, link)
        (source / "train.log").write_text("going on")

    monkeypatch.setattr(taking, "link_or_copy", copy_and_change)
    with pytest.raises(NotTakenError, match="it is being changed"):
        take_over(source, root / "run", root, identity(source))
    assert list(root.iterdir()) == []


def test_without_hard_links_it_is_copied(source, root, monkeypatch):
    def refuse(*_, **__):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    take_over(source, root / "run", root, identity(source))
    assert (root / "run/checkpoints/best.ckpt").read_bytes() == (source / "checkpoints/best.ckpt").read_bytes()
    assert not (root / "run/checkpoints/best.ckpt").samefile(source / "checkpoints/best.ckpt")


def test_only_checkpoints_that_are_replaced_as_a_whole_are_links(source, root):
    for name in ("picture.png", "checkpoints/own.ckpt"):
        (source / name).write_bytes(b"a callback's own")
    take_over(source, root / "run", root, identity(source))
    linked = {str(file.relative_to(source)) for file in source.rglob("*") if file.is_file() and file.stat().st_nlink > 1}
    assert linked <= {"checkpoints/best.ckpt", "checkpoints/last.ckpt"}
    assert "checkpoints/best.ckpt" in linked


def test_the_row_of_the_table_is_written_before_the_run_appears(source, root):
    seen = []

    def row(folder):
        seen.append((folder.name.startswith(STAGING), read(folder)["identity"], (root / "run").exists()))

    take_over(source, root / "run", root, identity(source), row)
    assert seen == [(True, identity(source), False)]


def test_where_the_first_candidate_cannot_be_taken_the_next_is(finished_run, source, root):
    """The first has lost its signature meanwhile."""
    other = finished_run("probes=shift_map", folder="other")
    name = identity(source)
    job = Job(0, "run", [], (), None, name)
    found = Reusable({"run": tuple(Finished(folder, read_record(folder)) for folder in (source, other))})
    unsign(source)
    (done,) = take_over_all([job], found, root)
    assert done.state is RunStatus.FINISHED
    assert read_record(root / "run").taken_over.folder == str(other)


def test_a_file_that_vanishes_at_the_first_look_is_no_traceback(source, root, monkeypatch):
    monkeypatch.setattr(taking, "_files", lambda folder: iter([folder / "gone"]))
    with pytest.raises(NotTakenError, match="it cannot be copied"):
        take_over(source, root / "run", root, identity(source))
    assert list(root.iterdir()) == []


SCRIPT = """
import sys, time
from pathlib import Path
from convexp.studies.reuse import take_over as taking
source, root, identity, stop = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
copied = []
def copy(file, target, link, copy=taking.link_or_copy):
    if len(copied) == stop:
        (root.parent / "waiting").touch()
        time.sleep(600)
    copied.append(file)
    copy(file, target, link)
taking.link_or_copy = copy
while not (root.parent / "go").exists():
    time.sleep(0.001)
for number in range(int(sys.argv[5])):
    try:
        taking.take_over(source, root / f"run{number}", root, identity)
        print(number)
    except taking.NotTakenError as error:
        print(error, file=sys.stderr)
"""


def process(source, root, stop=-1, runs=1):
    command = [sys.executable, "-c", SCRIPT, str(source), str(root), identity(source), str(stop), str(runs)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.e2e
@pytest.mark.parametrize("stop", [0, 5])
def test_a_kill_in_the_middle_leaves_nothing_and_the_next_start_takes_it_whole(source, root, tmp_path, stop):
    (tmp_path / "go").touch()
    with process(source, root, stop) as killed:
        until(lambda: (tmp_path / "waiting").exists() or killed.poll() is not None)
        killed.send_signal(signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    assert list(run_folders(root)) == []
    (left,) = root.iterdir()
    assert left.name.startswith(STAGING)
    take_over(source, root / "run0", root, identity(source))
    assert status_of(root / "run0", identity(source)) is RunStatus.FINISHED
    remove_staged(root)
    assert [path.name for path in root.iterdir()] == ["run0"]


@pytest.mark.e2e
def test_of_several_processes_one_takes_each_run_over(source, root, tmp_path):
    processes = [process(source, root, runs=10) for _ in range(3)]
    (tmp_path / "go").touch()
    ended = [each.communicate() for each in processes]
    taken = sorted(int(number) for out, _ in ended for number in out.split())
    assert taken == list(range(10)), [err for _, err in ended]
    assert sorted(path.name for path in root.iterdir()) == [f"run{number}" for number in range(10)]
    for folder in root.iterdir():
        assert status_of(folder, identity(source)) is RunStatus.FINISHED
        assert is_signed(folder)


def test_what_another_process_is_putting_together_is_not_removed(root):
    from convexp.studies.reuse.staging import staged

    with staged(root, root / "run") as folder:
        (folder / "result.json").write_text("{}")
        remove_staged(root)
        assert folder.is_dir()
        assert list(run_folders(root)) == []
    assert [path.name for path in root.iterdir()] == ["run"]
