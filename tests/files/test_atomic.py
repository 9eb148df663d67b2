"""Files are written whole or not at all, never through a link, and nothing of a dead writer stays."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convexp.files.atomic import PARTIAL, atomic_write, open_append, remove_partials
from convexp.files.host import host_tag
from convexp.files.locks import lock


@pytest.mark.e2e
def test_a_file_that_is_being_written_stays_until_its_writer_is_dead(tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from convexp.files.atomic import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])) as partial:\n"
        "    partial.write_text('half'); print('writing', flush=True); sys.stdin.read(); os._exit(137)"
    )
    command = [sys.executable, "-c", script, tmp_path / "file"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"writing\n"
        remove_partials(tmp_path)
        assert [path.read_text() for path in tmp_path.iterdir()] == ["half"]
    remove_partials(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_taken_for_a_dead_writer_s_before_it_is_locked_is_begun_again(tmp_path, monkeypatch):
    """Two sweeps start in one folder at once."""
    flock = fcntl.flock

    def after_another_process(handle, kind):
        monkeypatch.setattr(fcntl, "flock", flock)
        remove_partials(tmp_path)
        assert list(tmp_path.iterdir()) == []
        flock(handle, kind)

    monkeypatch.setattr(fcntl, "flock", after_another_process)
    with atomic_write(tmp_path / "file") as partial:
        assert partial.exists()
        remove_partials(tmp_path)
        with partial.open("a") as file:
            file.write("whole")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["whole"]


@given(st.sampled_from(["file.txt", "result.json", "best.ckpt", "a.partial", "x.partial-y", ".partial-1", "me.writing-1"]))
def test_only_partial_files_are_removed(name):
    assert not PARTIAL.fullmatch(name)


@pytest.mark.parametrize("name", ["result.json.partial-17", ".writing-17", "writing.ckpt", "copying.ckpt"])
def test_what_earlier_versions_left_is_removed_but_no_folder_and_no_link(tmp_path, name):
    (tmp_path / name).touch()
    (tmp_path / "a.partial-1").mkdir()
    (tmp_path / "b.partial-2").symlink_to(tmp_path / name)
    remove_partials(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.partial-1", "b.partial-2"]


def test_a_link_is_replaced_by_a_whole_file_and_not_written_on(tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "link").symlink_to("precious")
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        open_append(tmp_path / "link")
    with pytest.raises(OSError, match="symbolic link"):
        lock(tmp_path / "link").acquire(timeout=0)
    with atomic_write(tmp_path / "link") as partial:
        partial.write_text("new")
    assert ((tmp_path / "link").read_text(), (tmp_path / "precious").read_text()) == ("new", "precious")
    assert not (tmp_path / "link").is_symlink()


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device"):
        open_append(tmp_path / "pipe")


def test_a_file_system_without_locks_is_an_error_and_leaves_no_lock(tmp_path, monkeypatch):
    def missing(handle, kind):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", missing)
    with pytest.raises(OSError, match="not implemented"):
        lock(tmp_path / "file").acquire(timeout=0)


def test_a_rename_whose_answer_was_lost_counts(tmp_path, monkeypatch):
    """NFS asks once more, and the server says that there is no such file any more."""
    replace = Path.replace

    def twice(self, target):
        replace(self, target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", twice)
    (tmp_path / "file").write_text("before")
    with atomic_write(tmp_path / "file") as partial:
        partial.write_text("whole")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["whole"]
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "file") as partial:
        partial.rename(tmp_path / "elsewhere")
    assert (tmp_path / "file").read_text() == "whole"


def test_what_another_machine_writes_stays_unless_the_folder_is_held(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVEXP_HOST", "elsewhere")
    theirs = f".partial-{host_tag()}{10 * '0'}"
    monkeypatch.setenv("CONVEXP_HOST", "here")
    ours = f".partial-{host_tag()}{10 * '0'}"
    for name in (theirs, ours):
        assert PARTIAL.fullmatch(name)
        (tmp_path / name).touch()
    remove_partials(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [theirs]
    remove_partials(tmp_path, is_held=True)
    assert list(tmp_path.iterdir()) == []


def test_partial_files_are_removed_from_a_held_folder_without_locks(tmp_path, monkeypatch):
    def missing(handle, kind):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", missing)
    left = tmp_path / f".partial-{host_tag()}{10 * '0'}"
    left.touch()
    remove_partials(tmp_path)
    assert left.exists()
    remove_partials(tmp_path, is_held=True)
    assert not left.exists()
    with atomic_write(tmp_path / "file") as partial:
        partial.write_text("whole")
    assert (tmp_path / "file").read_text() == "whole"
