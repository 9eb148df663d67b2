"""The hub of a group: its runs are greenlets, which go on one at a time and meet where something is done for all of them.

A run brings to the meeting what it wants (``meet``) and waits. When all runs that have not ended wait, what they want is done
in one call, and each goes on with its answer. Everything else a run does alone, as if there were no others: what belongs to the
process is exchanged when another run goes on (``convexp.machine.own_states``).
"""

import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, copy_context
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convexp.machine import interruption
from convexp.machine.own_states import States, begin_states, each_its_own, restore_states, save_states
from convexp.machine.run_clock import Away, away

Serve = Callable[[Sequence[Any]], Sequence[Any]]  # from what the runs want to their answers, in the same order


class Member:
    """A run of a group.

    Args:
        number: Its number.
        size: Number of runs of the group.
        work: Does the run.

    Attributes:
        wish: What it wants, while it waits.
        states: What belongs to the process, as this run left it.
        away: The time that it did not go on.
    """

    def __init__(self, number: int, size: int, work: Callable[[], Any]) -> None:
        from greenlet import greenlet  # imported only where there is a group

        self.number = number
        self.size = size
        self.wish: _Wish | None = None
        self.states: States = {}
        self.away = Away()
        self.greenlet = greenlet(work)
        context = copy_context()
        context.run(_member.set, self)
        context.run(away.set, self.away)
        self.greenlet.gr_context = context


@dataclass(frozen=True)
class _Wish:
    what: Any
    serve: Serve


def _working_directory() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # somebody has removed it
        return None


def _change_to(folder: Path | None) -> None:
    if folder is not None and folder != _working_directory():
        os.chdir(folder)


each_its_own("working directory", _working_directory, _change_to)

_member: ContextVar[Member | None] = ContextVar("member", default=None)
asked_for: ContextVar[bool] = ContextVar("asked_for", default=False)
"""Whether somebody has asked for a group of this size, so that its runs do together whatever they can."""


def in_group() -> bool:
    """Whether the present run belongs to a group."""
    return _member.get() is not None


def size() -> int:
    """Return the number of runs of this run's group, those that have ended included; 1 if it belongs to none."""
    member = _member.get()
    return member.size if member else 1


def meet(wish: Any, serve: Serve) -> Any:
    """Wait until all runs of the group that have not ended have come.

    Args:
        wish: What this run wants.
        serve: Called once with what all want, each in turn; the first run's function is called. It returns their answers.

    Returns:
        The answer to this run.

    Raises:
        Exception: What ``serve`` raised, in each of the runs.
    """
    member = _member.get()
    assert member is not None, "only a run of a group meets others"
    member.wish = _Wish(wish, serve)
    left = time.perf_counter()
    member.states = save_states()
    parent = member.greenlet.parent
    assert parent is not None
    answer, share, stop = parent.switch()
    interruption.tell(stop)
    member.away.seconds += time.perf_counter() - left - share
    if isinstance(answer, BaseException):
        raise answer
    return answer


def leave() -> None:
    """Go on without the meetings: a run that steps by itself hears at once of a signal."""
    interruption.tell(None)


def run_group(
    works: Sequence[Callable[[], Any]], around: Callable[[int], AbstractContextManager[object]] = lambda _: nullcontext()
) -> Generator[tuple[int, Any]]:
    """Do runs together, and yield the number of each and what it returned, in the order in which they end.

    Args:
        works: Functions that do a run each. They catch exceptions of their own.
        around: Returns a context that is entered whenever a run goes on, from the run's number.

    Raises:
        KeyboardInterrupt: If the process was asked to stop, once every run that has begun has saved itself; no other begins.
    """
    at_first = save_states()
    with interruption.deferring(), interruption.remembering():
        home = save_states()
        going_on = [(Member(number, len(works), work), ()) for number, work in enumerate(works)]
        begun = False
        while going_on:
            waiting: list[Member] = []
            for member, answer in going_on:
                if not begun and interruption.noted():
                    break
                with around(member.number):
                    ended = _go_on(member, None if begun else at_first, answer, home)
                if ended is not None:
                    yield ended
                elif member.wish is not None:
                    waiting.append(member)
            begun = True
            going_on = list(zip(waiting, _answers(waiting), strict=True))


def _go_on(member: Member, at_first: States | None, answer: tuple[Any, ...], home: States) -> tuple[int, Any] | None:
    """Let a member begin or go on until it waits for the others or ends; return its number and result if it has ended."""
    member.wish = None
    try:
        restore_states(member.states if at_first is None else at_first)
        if at_first is not None:
            begin_states()
        returned = member.greenlet.switch(*answer)
    except SystemExit:
        return None if interruption.noted() else (member.number, None)  # it is this run's end; the others go on
    except KeyboardInterrupt:
        if not interruption.noted():
            raise
        return None
    finally:
        restore_states(home)
    return (member.number, returned) if member.wish is None else None


def _of_one(error: Exception) -> Exception:
    """An error like ``error`` for one run, as raising it adds to its traceback; the error itself if it cannot be copied."""
    try:
        own = copy(error)
    except Exception:
        return error
    if type(own) is not type(error) or own is error:
        return error
    own.__cause__, own.__suppress_context__ = error.__cause__, error.__suppress_context__
    return own.with_traceback(error.__traceback__)


def _answers(waiting: Sequence[Member]) -> list[tuple[Any, float, bool]]:
    """Do what the members want; return for each the answer or the error, its share of the time, and whether all are to stop."""
    wishes = [member.wish for member in waiting if member.wish is not None]
    if not wishes:
        return []
    start = time.perf_counter()
    try:
        answers = list(wishes[0].serve([wish.what for wish in wishes]))
    except Exception as error:
        answers: list[Any] = [_of_one(error) for _ in wishes]
    share = (time.perf_counter() - start) / len(wishes)
    stop = interruption.noted()  # asked once: a signal while they go on in turn must not part them
    return [(answer, share, stop) for answer in answers]
