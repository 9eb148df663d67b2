"""Jobs side by side: each done once, whatever happens to the processes."""

import multiprocessing
import os
import signal
import sys
import time
from functools import partial

import joblib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from convexp import console
from convexp.errors import ConfigError
from convexp.studies.launching import check_processes, how_many
from convexp.studies.processes import side_by_side

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
    (folder / "started").touch()
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        (folder / "interrupted").touch()
        raise


def given_as(jobs):
    """Jobs that are made when it is their turn."""
    return [partial(lambda job: job, job) for job in jobs]


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(), max_size=6), st.integers(2, 4))
def test_every_job_is_done_once(jobs, count):
    ended = list(side_by_side(square, given_as(jobs), count, LIGHT))
    assert sorted(done.number for done in ended) == list(range(len(jobs)))
    for done in ended:
        assert (done.value, done.exit_code) == (jobs[done.number] ** 2, None)
        assert (done.out, done.err) == (f"this is {jobs[done.number]}\n", "a complaint\n")


def test_a_process_does_one_job_after_another():
    pids = {done.value for done in side_by_side(own_pid, given_as(range(9)), 3, LIGHT)}
    assert 1 <= len(pids) <= 3
    assert os.getpid() not in pids


def own_pid(_job):
    return os.getpid()


@pytest.mark.parametrize(("work", "lost", "code"), [(die_of_two, 2, -signal.SIGKILL), (leave, 1, 7)])
def test_a_process_that_ends_takes_no_other_job_with_it(work, lost, code):
    ended = {done.number: done for done in side_by_side(work, given_as(range(6)), 2, LIGHT)}
    assert {number for number, done in ended.items() if done.exit_code is not None} == {lost}
    assert ended[lost].exit_code == code
    assert [ended[n].value for n in range(6) if n != lost] == [n for n in range(6) if n != lost]


def test_leaving_interrupts_what_has_not_ended_and_starts_no_more(tmp_path):
    folders = [tmp_path / str(n) for n in range(3)]
    for folder in folders:
        folder.mkdir()
    ending = side_by_side(note_the_interruption, given_as(folders), 2, LIGHT)
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


def test_a_process_that_died_before_its_next_job_is_named(tmp_path):
    ending = side_by_side(own_pid, given_as(range(4)), 2, LIGHT)
    first = next(ending)
    os.kill(first.value, signal.SIGKILL)
    ended = [first, *ending]
    assert sorted(done.number for done in ended) == [0, 1, 2, 3]
    assert {done.exit_code for done in ended} <= {None, -signal.SIGKILL}


def test_jobs_may_have_processes_of_their_own():
    ended = list(side_by_side(with_child, given_as([3, 4]), 2, LIGHT))
    assert sorted(done.value for done in ended) == [3, 4]


def with_child(code):
    child = multiprocessing.get_context("spawn").Process(target=sys.exit, args=(code,))
    child.start()
    child.join()
    return child.exitcode


@pytest.mark.parametrize(
    ("processes", "threads", "cores", "count"),
    [(None, None, 8, 1), (None, 1, 8, 8), (None, 3, 8, 2), (None, 16, 8, 1), (5, None, 8, 5), (1, 1, 8, 1)],
)
def test_as_many_as_the_cores_allow(processes, threads, cores, count, monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: cores)
    assert how_many(processes, OmegaConf.create({"trainer": {"threads": threads}})) == count


@pytest.mark.parametrize("processes", [0, -1, 1.5, "two", True])
def test_no_number_of_processes(processes):
    with pytest.raises(ConfigError, match=r"hydra\.launcher\.processes=.*: should be a whole number from 1 on, or null"):
        check_processes(processes)
