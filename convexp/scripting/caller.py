"""The process that calls ``convexp.train`` or ``convexp.sweep`` is somebody else's: what a run changes in it is put back."""

import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from hydra.core.hydra_config import HydraConfig
from hydra.version import VersionBase

from convexp.config.user_paths import check_working_directory, drop_empty_variables
from convexp.machine.torch_variables import set_torch_variables
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class State:
    """A part of the state of a process.

    Attributes:
        get: Returns the state.
        put: Restores what ``get`` returned.
    """

    get: Callable[[], Any]
    put: Callable[[Any], object]


@contextmanager
def unchanged(states: Sequence[State]) -> Generator[None]:
    """A context after which the states are what they were before."""
    before = [state.get() for state in states]
    try:
        yield
    finally:
        for state, value in zip(states, before, strict=True):
            state.put(value)


@contextmanager
def in_process_of_caller(progress: bool) -> Generator[None]:
    """A context for a run in a process that is not convexp's own: afterwards the process is as it was before.

    That is: environment, working directory, ``sys.argv``, random states, handlers of signals and warnings, loggers, standard
    streams, and what Hydra knows of the application that it runs. ``convexp.scripting.torch_state`` does the same for torch.

    Args:
        progress: Whether to print what the command prints; errors are raised, not printed.
    """
    check_working_directory()
    with unchanged(STATES), warnings.catch_warnings(), lenient_output(ours=False), console.silence(not progress):
        set_environment()
        yield


def set_environment() -> None:
    """Set the environment variables of torch as the commands do, and drop those of convexp that are empty."""
    set_torch_variables()
    drop_empty_variables()


def _put_environment(before: dict[str, str]) -> None:
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def _handlers() -> list[Any]:
    return [signal.getsignal(number) for number in SIGNALS]


def _put_handlers(before: list[Any]) -> None:
    if threading.current_thread() is threading.main_thread():  # the only one that may set them
        for number, handler in zip(SIGNALS, before, strict=True):
            if handler is not None:  # None: one that was not set by Python
                signal.signal(number, handler)


def _loggers() -> dict[logging.Logger, tuple[Any, ...]]:
    named = [logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    return {each: (each.level, list(each.handlers), each.propagate, each.disabled) for each in (logging.root, *named)}


def _put_loggers(before: dict[logging.Logger, tuple[Any, ...]]) -> None:
    for logger, (level, handlers, propagate, disabled) in before.items():
        logger.setLevel(level)
        logger.handlers[:], logger.propagate, logger.disabled = handlers, propagate, disabled


def _put_arguments(before: list[str]) -> None:
    sys.argv[:] = before


def _put_path(before: list[str]) -> None:
    sys.path[:] = before


def _put_hook(before: Any) -> None:
    threading.excepthook = before


def _put_hydra(before: Any) -> None:
    HydraConfig.instance().cfg = before


def _put_version_base(before: Any) -> None:
    VersionBase.instance().version_base = before


STATES = (
    State(lambda: dict(os.environ), _put_environment),
    State(os.getcwd, os.chdir),
    State(lambda: list(sys.argv), _put_arguments),
    State(lambda: list(sys.path), _put_path),
    State(random.getstate, random.setstate),
    State(np.random.get_state, np.random.set_state),
    State(_handlers, _put_handlers),
    State(_loggers, _put_loggers),
    State(lambda: threading.excepthook, _put_hook),
    State(lambda: HydraConfig.instance().cfg, _put_hydra),
    State(lambda: VersionBase.instance().version_base, _put_version_base),
)
