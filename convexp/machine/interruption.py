"""Stopping a process so that its run can be resumed: at once, or while a network is trained at the next step.

A training asks ``requested`` between its steps, saves what it has done and raises KeyboardInterrupt.
"""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from convexp.machine.own_states import each_its_own


@dataclass
class _State:
    """Whether the process was asked to stop, and whether that is not forgotten when another run begins in it.

    Of the run that goes on: whether a signal is only noted now, whether a checkpoint is being written, and what it is told when
    it asks whether to stop; None: the truth.
    """

    requested: bool = False
    remembering: bool = False
    deferring: bool = False
    saving: bool = False
    told: bool | None = None


_state = _State()


def interrupt(signum: int, frame: FrameType | None) -> None:
    """The signal handler. Within ``deferring`` a signal is noted, elsewhere it raises KeyboardInterrupt.

    A further SIGINT is a person who does not want to wait: it raises at once. A further signal of another kind is ignored, as
    SIGTERM often comes twice, to the group and to the process, and the second one must not interrupt the cleaning up.

    Args:
        signum: Number of the signal.
        frame: Where the process is; not used.

    Raises:
        KeyboardInterrupt: if the process is to stop at once. While a checkpoint is being written it never is.
    """
    del frame
    again, _state.requested = _state.requested, True
    at_once = signum == signal.SIGINT if again else not _state.deferring
    if at_once and not _state.saving:
        raise KeyboardInterrupt


def noted() -> bool:
    """Whether the process was asked to stop since the run began."""
    return _state.requested


def requested() -> bool:
    """Whether the run is to stop: as ``noted``, but runs that make their steps together hear of it after the same step."""
    return _state.requested if _state.told is None else _state.told


def tell(stop: bool | None) -> None:
    """Set what ``requested`` returns to this run of a group until it is told anew; None for what ``noted`` does."""
    _state.told = stop


def forget() -> None:
    """Forget earlier signals: a new run begins in this process."""
    _state.requested = _state.requested and _state.remembering


@contextmanager
def remembering() -> Generator[None]:
    """A context in which signals are not forgotten: the runs that begin in it are done together, and end together."""
    _state.remembering = True
    try:
        yield
    finally:
        _state.remembering = False


def handle_signals() -> None:
    """Make ``interrupt`` the handler of SIGTERM, and of SIGINT unless that is ignored, as in the background of a shell."""
    forget()
    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt)


@contextmanager
def deferring() -> Generator[None]:
    """A context in which a signal is only noted; what is in it has to look at ``requested``.

    A process that has no handler of SIGTERM has this one in the meantime.

    Raises:
        KeyboardInterrupt: at its end, if a signal was noted, also in place of an error: the run has to count as interrupted.
    """
    with _handling_sigterm():
        _raise_if_requested()
        _state.deferring = True
        try:
            yield
        except Exception as error:
            if _state.requested:
                raise KeyboardInterrupt from error
            raise
        finally:
            _state.deferring = False
        _raise_if_requested()


@contextmanager
def at_once() -> Generator[None]:
    """A context within ``deferring`` in which a signal raises KeyboardInterrupt at once, as does one that was noted before."""
    before, _state.deferring = _state.deferring, False
    try:
        _raise_if_requested()
        yield
    finally:
        _state.deferring = before


@contextmanager
def saving() -> Generator[None]:
    """A context in which no signal raises: the checkpoint is written to its end."""
    _state.saving = True
    try:
        yield
    finally:
        _state.saving = False


def _raise_if_requested() -> None:
    if _state.requested:
        raise KeyboardInterrupt


@contextmanager
def _handling_sigterm() -> Generator[None]:
    free: Any = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not free or threading.current_thread() is not threading.main_thread():  # the only one that may set handlers
        yield
        return
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _own_state() -> tuple[bool, bool, bool | None, Any]:
    return _state.deferring, _state.saving, _state.told, signal.getsignal(signal.SIGTERM)


def _restore(state: tuple[bool, bool, bool | None, Any]) -> None:
    """Restore the state of a run; Lightning exchanges the handler of SIGTERM for the time of a training."""
    _state.deferring, _state.saving, _state.told, handler = state
    if handler is not None and handler is not signal.getsignal(signal.SIGTERM):
        signal.signal(signal.SIGTERM, handler)


each_its_own("interruption", _own_state, _restore)
