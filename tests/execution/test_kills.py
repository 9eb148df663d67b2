"""A kill at any file operation of a run or of a sweep costs nothing but time, and leaves nothing behind.

A process that is killed leaves the disk as it is at that moment. So one undisturbed run is enough: before everything that it
does to a file its folder is copied, and, where a file was opened to be written anew, once more with that file empty. Each
copy is what a kill at this moment leaves.
"""

import os
import re
import shutil
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from conftest import read
from msgspec.structs import replace
from outcomes import same, science, weights
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from convexp.files.leases.lease import decoded, encoded

LEASE_NUMBER = re.compile(r"(?<=\.lease-)\d+$|(?<=\.lock-)\d+$")
CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "shutil.copyfile")
TINY = (
    "trainer=cpu",
    "trainer.threads=1",
    "trainer.max_epochs=2",
    "model.channels=[1]",
    "model.kernel_size=3",
    "data.train_size=64",
    "probes=[kernels]",
    "probe_every=1",
)
listening = []  # to file operations


@pytest.fixture(autouse=True)
def unreadable_leases_are_soon_stale(monkeypatch):
    """A kill leaves one that is empty, which is watched for half a minute; tests/files has that."""
    monkeypatch.setattr("convexp.files.leases.watch.DEFAULT", 0.01)


@cache
def listen():
    """Python has hooks for them, which stay for ever."""
    sys.addaudithook(lambda event, arguments: [tell(event, arguments) for tell in listening[:1]])


def changed(event, arguments):
    """The file that is going to be changed, if one is, and whether it will be there and empty."""
    if event == "open" and isinstance(arguments[0], str | os.PathLike):
        path, _, flags = arguments
        empty = bool(flags & os.O_TRUNC) or (bool(flags & os.O_CREAT) and not os.path.lexists(path))
        return (Path(path).absolute(), empty) if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else (None, False)
    return (Path(arguments[0]).absolute(), False) if event in CHANGES else (None, False)


def of_a_dead_process(file, content):
    """The content of a file; a lease is that of a process that is gone, as the process that is killed here only in thought."""
    lease = decoded(content) if file.name.startswith(".lease-") or file.parent.name == ".leases" else None
    return content if lease is None else encoded(replace(lease, pid=2**31 - 1))


class Copies:
    """Copies of ``folder``, no two alike, in ``to``."""

    def __init__(self, folder, to):
        self.folder, self.to = folder, to
        self.seen = set()

    @contextmanager
    def at_every_change(self, wanted=lambda path: True):
        """Of a file in the folder that is ``wanted``."""

        def tell(event, arguments):
            listening.remove(tell)  # this changes files, too
            try:
                file, empty = changed(event, arguments)
                if file is not None and file.is_relative_to(self.folder) and self.folder.exists() and wanted(file):
                    self.make(file, [None, b""] if empty else [None])
            finally:
                listening.append(tell)

        listen()
        listening.append(tell)
        try:
            yield
        finally:
            listening.remove(tell)

    def make(self, file, contents):
        there = {path: path.read_bytes() if path.is_file() else None for path in self.folder.rglob("*")}
        for content in contents:
            state = there if content is None else {**there, file: content}
            if (key := frozenset(state.items())) not in self.seen:
                self.seen.add(key)
                self.write(self.to / f"{len(self.seen):03}", state)

    def write(self, to, state):
        to.mkdir(parents=True)
        for path, content in sorted(state.items()):
            target = to / path.relative_to(self.folder)
            target.mkdir() if content is None else target.write_bytes(of_a_dead_process(target, content))


def scalars(folder):
    """What TensorBoard has been told of the steps."""
    events = [e for f in folder.glob("events.out.tfevents.*") for e in EventFileLoader(str(f)).Load() if e.HasField("summary")]
    return {(value.tag, event.step) for event in events for value in event.summary.value if "hparams" not in value.tag}


def names(folder):
    """Names of the files; that of an event file has the time in it, and there is one for every start."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if ".tfevents.1" not in path.name}
    return {LEASE_NUMBER.sub("", name) for name in found}  # a lease after one that was not ended has the next number


def check_equal(folder, whole):
    assert science(read(folder)) == science(read(whole))
    assert (folder / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()
    assert scalars(folder) == scalars(whole)
    for name in ("best", "last"):
        assert same(weights(folder, name), weights(whole, name)), name


@pytest.mark.integration
def test_a_run_that_is_killed_at_any_file_operation_ends_as_one_that_is_not(call, tmp_path):
    whole, copies = tmp_path / "run", Copies(tmp_path / "run", tmp_path / "killed")
    with copies.at_every_change():
        assert call("train", *TINY, "hydra.run.dir=run").code == 0
    assert len(copies.seen) > 50
    for folder in sorted(copies.to.iterdir()):
        done = call("train", *TINY, f"hydra.run.dir=killed/{folder.name}")
        assert done.code == 0, (folder, done.err)
        check_equal(folder, whole)
        assert names(folder) == names(whole), folder


@pytest.mark.integration
def test_a_sweep_that_is_killed_at_any_file_operation_of_its_own_ends_as_one_that_is_not(call, tmp_path, monkeypatch):
    from convexp.reporting import charts

    monkeypatch.setattr(
        charts, "draw_charts", lambda report: []
    )  # they take seconds each time, and are written as the tables are
    sweep = ("-m", *TINY, "trainer.max_epochs=1", "seed=0,1")
    whole, copies = tmp_path / "sweep", Copies(tmp_path / "sweep", tmp_path / "killed")
    with copies.at_every_change(lambda file: file.parent in (whole, whole.parent)):
        assert call("train", *sweep, "hydra.sweep.dir=sweep").code == 0
    assert len(copies.seen) > 20
    for folder in sorted(copies.to.iterdir()):
        done = call("train", *sweep, f"hydra.sweep.dir=killed/{folder.name}")
        assert done.code == 0, (folder, done.err)
        for run in ("seed0", "seed1"):
            check_equal(folder / run, whole / run)
        assert names(folder) == names(whole), folder


@pytest.mark.integration
def test_a_kill_while_the_checkpoint_of_an_interrupted_epoch_is_written_leaves_the_one_before(call, tmp_path, asked_to_stop):
    whole, copies = tmp_path / "whole", Copies(tmp_path / "run", tmp_path / "killed")
    batches = "data.batch_size=16"  # four in an epoch
    assert call("train", *TINY, batches, "hydra.run.dir=whole").code == 0
    with copies.at_every_change(lambda file: file.parent.name == "checkpoints"), asked_to_stop(epoch=1, batch=0):
        assert call("train", *TINY, batches, "hydra.run.dir=run").code == 130
    shutil.copytree(tmp_path / "run", copies.to / "interrupted")
    begun = set()
    for folder in sorted(copies.to.iterdir()):
        done = call("train", f"resume={folder}")
        assert done.code == 0, (folder, done.err)
        begun.add((folder / "train.log").read_text().rpartition("started at ")[2].split(":")[0])
        check_equal(folder, whole)
    assert begun == {"epoch 1", "epoch 2", "epoch 2, batch 2"}
