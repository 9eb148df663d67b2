"""Jobs side by side: each done once, whatever happens to the processes."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.engines.local.pool import run_parallel
from convexp.engines.local.temp_folders import LOCK
from convexp.files.locks import lock
from convexp.machine.group import in_group, meet
from convexp.terminal import console

LIGHT = "json"  # a module to preload that takes no time


def square(number):
    console.out.print(f"this is {number}")
    console.err.print("a complaint")
    return number * number


def die_of_two(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def leave(number):
    if number == 1:
        sys.exit(7)
    return number


def note_the_interruption(folder):
    try:
        (folder / "started").touch()  # within, as the signal may follow at once
        time.sleep(60)
    except KeyboardInterrupt:
        (folder / "interrupted").touch()
        raise


def given_as(jobs):
    """Jobs that are made when it is their turn."""
    return [partial(lambda job: job, job) for job in jobs]


@pytest.mark.e2e
@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(), max_size=6), st.integers(2, 4))
def test_every_job_is_done_once(jobs, count):
    ended = list(run_parallel(square, given_as(jobs), [{}] * count, LIGHT))
    assert sorted(done.number for done in ended) == list(range(len(jobs)))
    for done in ended:
        assert (done.value, done.exit_code) == (jobs[done.number] ** 2, None)
        assert (done.out, done.err) == (f"this is {jobs[done.number]}\n", "a complaint\n")


@pytest.mark.e2e
def test_a_process_does_one_job_after_another():
    pids = {done.value for done in run_parallel(own_pid, given_as(range(9)), [{}] * 3, LIGHT)}
    assert 1 <= len(pids) <= 3
    assert os.getpid() not in pids


@pytest.mark.e2e
@pytest.mark.parametrize("dies", [False, True])
def test_jobs_of_a_group_are_reported_one_by_one_and_those_that_a_killed_process_leaves_as_killed(dies):
    jobs = [(visits, dies and visits == 3) for visits in (2, 0, 3, 1)]
    ended = list(run_parallel(visit, given_as(jobs), [{}] * 2, LIGHT, [(0, 1, 2), (3,)]))
    done = {each.number: each for each in ended}
    assert sorted(done) == [0, 1, 2, 3]
    assert len({done[number].value for number in (0, 1)}) == 1  # one process
    assert [each.number for each in ended if each.number != 3] == [1, 0, 2]
    assert done[0].out == "".join(f"visit {n} of 2\n" for n in range(2))
    assert [done[n].exit_code for n in range(4)] == [None, None, -signal.SIGKILL if dies else None, None]


def visit(job):
    visits, dies = job
    for number in range(visits):
        console.out.print(f"visit {number} of {visits}")
        if in_group():
            meet(None, list)
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def own_pid(_job):
    return os.getpid()


@pytest.mark.e2e
@pytest.mark.parametrize(("work", "lost", "code"), [(die_of_two, 2, -signal.SIGKILL), (leave, 1, 7)])
def test_a_process_that_ends_takes_no_other_job_with_it(work, lost, code):
    ended = {done.number: done for done in run_parallel(work, given_as(range(6)), [{}] * 2, LIGHT)}
    assert {number for number, done in ended.items() if done.exit_code is not None} == {lost}
    assert ended[lost].exit_code == code
    assert [ended[n].value for n in range(6) if n != lost] == [n for n in range(6) if n != lost]


@pytest.mark.e2e
def test_leaving_interrupts_what_has_not_ended_and_starts_no_more(tmp_path):
    folders = [tmp_path / str(n) for n in range(3)]
    for folder in folders:
        folder.mkdir()
    ending = run_parallel(note_the_interruption, given_as(folders), [{}] * 2, LIGHT)
    with pytest.raises(KeyboardInterrupt):
        _interrupted_once_begun(ending, folders[:2])
    assert [sorted(file.name for file in folder.iterdir()) for folder in folders] == [["interrupted", "started"]] * 2 + [[]]


def _interrupted_once_begun(ending, folders):
    def look(_signal, _frame):
        if all((folder / "started").exists() for folder in folders):
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        next(ending)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.e2e
def test_a_process_that_died_before_its_next_job_is_named(tmp_path):
    ending = run_parallel(own_pid, given_as(range(4)), [{}] * 2, LIGHT)
    first = next(ending)
    os.kill(first.value, signal.SIGKILL)
    ended = [first, *ending]
    assert sorted(done.number for done in ended) == [0, 1, 2, 3]
    assert [done.exit_code for done in ended if done.exit_code is not None] == [-signal.SIGKILL]


@pytest.mark.e2e
def test_a_new_process_takes_the_place_of_a_killed_one():
    """Its slot is free again, and the runs see the same GPU as before; the other goes on with its own."""
    slots = [{"CUDA_VISIBLE_DEVICES": "GPU-a"}, {"CUDA_VISIBLE_DEVICES": "GPU-b"}]
    ending = run_parallel(see_and_wait, given_as(range(8)), slots, LIGHT)
    first = next(ending)
    os.kill(first.value[0], signal.SIGKILL)
    done = [first, *ending]
    places = {}
    for pid, gpu in (each.value for each in done if each.exit_code is None):
        places.setdefault(gpu, set()).add(pid)
    lost = first.value[1]
    other = ({"GPU-a", "GPU-b"} - {lost}).pop()
    assert len(places[lost]) == 2
    assert len(places[other]) == 1
    assert [each.exit_code for each in done if each.exit_code is not None] == [-signal.SIGKILL]


def see_and_wait(_job):
    time.sleep(0.3)  # long enough that each process gets some
    return os.getpid(), os.environ["CUDA_VISIBLE_DEVICES"]


@pytest.mark.e2e
def test_the_end_of_a_process_is_seen_while_its_children_live(tmp_path):
    """They hold its end of the connection open."""
    (done,) = run_parallel(die_and_leave_a_child, given_as([tmp_path / "child"]), [{}] * 1, LIGHT)
    child = int((tmp_path / "child").read_text())
    os.kill(child, signal.SIGTERM)  # raises ProcessLookupError if it has gone before
    assert done.exit_code == -signal.SIGKILL


def die_and_leave_a_child(file):
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(60)
        os._exit(0)
    file.write_text(str(child))
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.e2e
def test_tidying_up_is_not_interrupted_again(tmp_path):
    (tmp_path / "0").mkdir()
    ending = run_parallel(tidy_up, given_as([tmp_path / "0", tmp_path / "0"]), [{}] * 2, LIGHT)
    with pytest.raises(KeyboardInterrupt):
        _interrupted_once_begun(ending, [tmp_path / "0"])
    assert (tmp_path / "0" / "tidy").exists()


def tidy_up(folder):
    try:
        (folder / "started").touch()
        time.sleep(60)
    except KeyboardInterrupt:
        os.kill(os.getpid(), signal.SIGTERM)  # as one to the whole group does
        time.sleep(0.5)
        (folder / "tidy").touch()
        raise


@pytest.mark.e2e
def test_jobs_may_have_processes_of_their_own():
    ended = list(run_parallel(with_child, given_as([3, 4]), [{}] * 2, LIGHT))
    assert sorted(done.value for done in ended) == [3, 4]


def with_child(code):
    child = multiprocessing.get_context("spawn").Process(target=sys.exit, args=(code,))
    child.start()
    child.join()
    return child.exitcode


def in_a_process_of_its_own(tmp_path, preload, then):
    """Jobs side by side in a process whose temporary folder is in ``tmp_path``."""
    script = (
        "import sys; from test_pool import given_as, own_pid, run_parallel\n"
        f"ending = run_parallel(own_pid, given_as(range(4)), [{{}}] * 2, {preload!r})\n"
        f"next(ending)\n{then}"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": f"{Path(__file__).parent}:{tmp_path}"}
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.e2e
def test_temporary_folders_of_the_dead_are_removed_and_no_others(tmp_path):
    (tmp_path / "pymp-other").mkdir()
    assert in_a_process_of_its_own(tmp_path, LIGHT, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)").returncode < 0
    assert len(list(tmp_path.glob("pymp-*"))) == 2
    with in_use(tmp_path / "pymp-living"):
        assert in_a_process_of_its_own(tmp_path, LIGHT, "list(ending)").returncode == 0
    assert {folder.name for folder in tmp_path.glob("pymp-*")} == {"pymp-other", "pymp-living"}


def in_use(folder):
    folder.mkdir()
    return lock(folder / LOCK)


@pytest.mark.e2e
def test_a_server_that_is_killed_while_it_starts_is_one_line(tmp_path):
    (tmp_path / "deadly.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    done = in_a_process_of_its_own(tmp_path, "deadly", "")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "convexp.errors.ConvexpError: the server process that starts the workers has"
    )


@pytest.mark.e2e
def test_a_sweep_that_starts_while_another_ends_leaves_its_folder_to_it(tmp_path):
    """At the end of a process filelock gives its locks back before multiprocessing removes the folder."""
    start = "from convexp.engines.local.temp_folders import clean_temp_folders; clean_temp_folders()"
    ending = f"""
import atexit, subprocess, sys
from multiprocessing import util

util.get_temp_dir()
atexit.register(subprocess.run, [sys.executable, "-c", {start!r}], check=True)  # called between the two
{start}
"""
    command = [sys.executable, "-c", ending]
    done = subprocess.run(command, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.glob("pymp-*"))
