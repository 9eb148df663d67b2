"""Runs that take turns: who meets whom, what each has for itself, and what an interruption does."""

import os
import random
import signal
import time
import traceback
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convexp.machine import interruption
from convexp.machine.group import in_group, leave, meet, run_group, size
from convexp.machine.own_states import each_its_own, save_states
from convexp.machine.run_clock import run_clock

each_its_own("Python's random numbers, for these tests", random.getstate, random.setstate)


@pytest.fixture(autouse=True)
def handler():
    before = signal.signal(signal.SIGTERM, interruption.interrupt)
    yield
    interruption.forget()
    signal.signal(signal.SIGTERM, before)


@given(st.lists(st.integers(0, 5), max_size=6))
def test_all_that_have_not_ended_meet_each_time(visits):
    meetings = []

    def serve(wishes):
        meetings.append(wishes)
        return [2 * wish for wish in wishes]

    def run(number):
        assert in_group()
        assert size() == len(visits)
        return [meet((number, visit), serve) for visit in range(visits[number])]

    ended = list(run_group([partial(run, number) for number in range(len(visits))]))
    assert meetings == [
        [(number, visit) for number, count in enumerate(visits) if count > visit] for visit in range(max(visits, default=0))
    ]
    assert [number for number, _ in ended] == sorted(range(len(visits)), key=lambda number: (visits[number], number))
    assert all(answers == [2 * (number, visit) for visit in range(visits[number])] for number, answers in ended)
    assert not in_group()


@given(st.lists(st.lists(st.integers(0, 3), max_size=4), min_size=1, max_size=4))
def test_each_has_the_random_numbers_that_it_would_have_alone(plans):
    def run(seed, rest):
        random.seed(seed)
        drawn = []
        for count in plans[seed]:
            drawn += [random.random() for _ in range(count)]
            rest()
        return drawn

    alone = [run(seed, lambda: None) for seed in range(len(plans))]
    random.seed(-1)
    before = random.getstate()
    together = dict(run_group([partial(run, seed, lambda: meet(None, list)) for seed in range(len(plans))]))
    assert [together[seed] for seed in range(len(plans))] == alone
    assert random.getstate() == before


def test_each_has_a_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(number):
        own = tmp_path / str(number)
        own.mkdir()
        os.chdir(own)
        meet(None, list)
        return Path.cwd() == own

    assert dict(run_group([partial(run, number) for number in range(3)])) == {0: True, 1: True, 2: True}
    assert Path.cwd() == tmp_path


def test_an_error_of_what_is_done_for_all_is_raised_in_each_and_one_of_its_own_in_one():
    def fail(wishes):
        raise ValueError(f"of {len(wishes)}")

    def run(serve):
        try:
            return meet(None, serve)
        except ValueError as error:
            return str(error)

    assert dict(run_group([partial(run, fail)] * 3)) == {0: "of 3", 1: "of 3", 2: "of 3"}
    assert dict(run_group([partial(run, lambda _: [None, ValueError("mine")])] * 2)) == {0: None, 1: "mine"}


def test_each_run_gets_an_error_of_its_own():
    errors = []

    def fail(_):
        raise ValueError("of all") from KeyError("cause")

    def run():
        try:
            meet(None, fail)
        except ValueError as error:
            errors.append(error)

    list(run_group([run] * 3))
    assert len(set(map(id, errors))) == 3
    assert {str(error) for error in errors} == {"of all"}
    assert all(isinstance(error.__cause__, KeyError) for error in errors)
    lengths = [len(traceback.extract_tb(error.__traceback__)) for error in errors]
    assert len(set(lengths)) == 1
    assert all(traceback.extract_tb(error.__traceback__)[-1].name == "fail" for error in errors)


def test_a_run_that_exits_ends_and_the_others_go_on():
    def run(number):
        meet(None, list)
        if number == 1:
            raise SystemExit(3)
        return meet(number, list)

    assert dict(run_group([partial(run, number) for number in range(3)])) == {0: 0, 1: None, 2: 2}


def test_the_clock_of_a_run_counts_its_share_and_not_the_others(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def spend(seconds):
        now[0] += seconds

    def serve(wishes):
        spend(6)
        return wishes

    def run(own):
        start = run_clock()
        spend(own)
        meet(None, serve)
        spend(own)
        return run_clock() - start

    assert dict(run_group([partial(run, own) for own in (1, 10, 100)])) == pytest.approx({0: 4, 1: 22, 2: 202})


def test_a_signal_reaches_every_run_that_has_begun_and_no_other_begins():
    saved, begun = [], []

    def run(number):
        begun.append(number)
        interruption.forget()  # as every run does when it begins
        with interruption.deferring():
            for _ in range(3):
                if interruption.requested():
                    saved.append(number)
                    raise KeyboardInterrupt
                meet(number, terminate)

    def terminate(wishes):
        if len(wishes) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return wishes

    with pytest.raises(KeyboardInterrupt):
        list(run_group([partial(run, number) for number in range(3)]))
    assert (begun, saved) == ([0, 1, 2], [0, 1, 2])

    def ask(number):
        begun.append(number)
        os.kill(os.getpid(), signal.SIGTERM)

    interruption.forget()
    begun.clear()
    with pytest.raises(KeyboardInterrupt):
        list(run_group([partial(ask, number) for number in range(3)]))
    assert begun == [0]


@pytest.mark.parametrize("left", [False, True])
def test_all_stop_after_the_same_step_whichever_goes_on_when_the_signal_comes(left):
    made = [0, 0, 0]

    def run(number):
        interruption.forget()
        with interruption.deferring():
            while not interruption.requested():
                meet(None, list)
                made[number] += 1
                if number == 1 and made[1] == 2:
                    os.kill(os.getpid(), signal.SIGTERM)
                    assert interruption.noted()
                    if left:
                        leave()
        raise AssertionError("the end of deferring raises")

    with pytest.raises(KeyboardInterrupt):
        list(run_group([partial(run, number) for number in range(3)]))
    assert made == ([3, 2, 3] if left else [3, 3, 3])
    assert interruption.requested()


def test_within_a_group_each_run_says_for_itself_whether_a_signal_waits():
    """One that trains notes it, one that is set up meanwhile is stopped at once; afterwards all is as before."""
    seen = []

    def train():
        with interruption.deferring():
            meet(None, list)
            seen.append(interruption.requested())

    def be_set_up():
        os.kill(os.getpid(), signal.SIGTERM)
        seen.append("not stopped")

    before = save_states()["interruption"]
    with pytest.raises(KeyboardInterrupt):
        list(run_group([train, be_set_up]))
    assert seen == [True]
    assert save_states()["interruption"] == before


def test_what_is_written_goes_to_the_context_of_the_run_that_goes_on():
    from contextlib import contextmanager

    inside, seen = [], []

    @contextmanager
    def around(number):
        inside.append(number)
        yield
        inside.remove(number)

    def run(number):
        for _ in range(2):
            seen.append((number, list(inside)))
            meet(None, lambda wishes: seen.append(("all", list(inside))) or wishes)

    list(run_group([partial(run, 0), partial(run, 1)], around))
    assert seen == [(0, [0]), (1, [1]), ("all", []), (0, [0]), (1, [1]), ("all", [])]
