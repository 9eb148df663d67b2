"""What a signal does, by the moment at which it comes and by what came before."""

import signal
import threading
from contextlib import contextmanager

import pytest

from convexp.machine import interruption
from convexp.machine.interruption import interrupt

INT, TERM, USR2 = signal.SIGINT, signal.SIGTERM, signal.SIGUSR2


@pytest.fixture(autouse=True)
def handlers():
    """As in a process of convexp; afterwards as it was."""
    before = [(number, signal.getsignal(number)) for number in (INT, TERM)]
    interruption.handle_signals()
    yield
    interruption.forget()
    for number, handler in before:
        signal.signal(number, handler)


@contextmanager
def stops():
    """What is in this context has to be interrupted; it yields a list that has the cause afterwards."""
    cause = []
    try:
        yield cause
    except KeyboardInterrupt as stop:
        cause.append(stop.__cause__)
    else:
        raise AssertionError("not interrupted")


def at_once(number):
    """Whether the signal stops what this process is doing."""
    try:
        interrupt(number, None)
    except KeyboardInterrupt:
        return True
    return False


@pytest.mark.parametrize("first", [INT, TERM, USR2])
def test_elsewhere_the_first_signal_stops_at_once_and_tidying_up_only_a_person_interrupts(first):
    assert at_once(first)
    assert interruption.requested()
    assert [at_once(number) for number in (TERM, USR2, INT, TERM)] == [False, False, True, False]


@pytest.mark.parametrize("first", [INT, TERM, USR2])
def test_in_a_training_a_signal_is_noted_and_a_second_ctrl_c_stops_at_once(first):
    with stops(), interruption.deferring():
        assert not at_once(first)
        assert interruption.requested()
        assert [at_once(number) for number in (TERM, USR2, INT)] == [False, False, True]
        with interruption.saving():
            assert not any(at_once(number) for number in (INT, TERM, USR2))
    assert at_once(INT)  # the training has ended


def test_real_signals_reach_the_handler():
    with stops():
        signal.raise_signal(TERM)
    interruption.forget()
    with stops(), interruption.deferring():
        signal.raise_signal(INT)
        assert interruption.requested()


def test_what_was_noted_is_not_lost_where_nobody_looks():
    reached = []
    with stops(), interruption.deferring():
        interrupt(TERM, None)
        reached.append("end")
    assert reached == ["end"]
    with stops(), interruption.deferring():  # noted before
        reached.append("never")
    interruption.forget()
    with stops() as cause, interruption.deferring():
        interrupt(TERM, None)
        raise ValueError("the run fails meanwhile")
    assert isinstance(cause[0], ValueError)
    assert reached == ["end"]


def test_an_error_without_a_signal_is_that_error_and_the_next_run_begins_anew():
    with pytest.raises(ValueError, match="mine"), interruption.deferring():
        raise ValueError("mine")
    assert not interruption.requested()
    assert at_once(TERM)
    interruption.forget()
    with interruption.deferring():
        assert not at_once(TERM)
        interruption.forget()  # or the end would raise


def test_at_once_within_a_training():
    with stops(), interruption.deferring(), interruption.at_once():
        interrupt(TERM, None)
        raise AssertionError("not reached")
    interruption.forget()
    with stops(), interruption.deferring():
        interrupt(TERM, None)
        with interruption.at_once():
            raise AssertionError("not reached")
    interruption.forget()
    with interruption.deferring():
        with interruption.at_once():
            pass
        assert not at_once(TERM)
        interruption.forget()


def test_sigterm_is_handled_in_a_training_and_the_handler_of_the_caller_is_theirs():
    def mine(number, frame):
        pass

    for before, within in ((signal.SIG_DFL, interrupt), (mine, mine)):
        signal.signal(TERM, before)
        with interruption.deferring():
            assert signal.getsignal(TERM) is within
        assert signal.getsignal(TERM) is before


def test_a_training_in_a_thread_leaves_the_handlers_alone():
    signal.signal(TERM, signal.SIG_DFL)
    seen = []

    def train():
        with interruption.deferring():
            seen.append(signal.getsignal(TERM))

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


def test_an_ignored_ctrl_c_stays_ignored():
    signal.signal(INT, signal.SIG_IGN)
    interruption.handle_signals()
    assert signal.getsignal(INT) is signal.SIG_IGN
