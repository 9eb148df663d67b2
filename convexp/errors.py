"""Errors that a user can do something about: they are reported in one line, without a traceback."""

from textwrap import shorten


class ConvexpError(Exception):
    """An error that one line explains.

    Attributes:
        exit_code: The code with which the process exits.
    """

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message.encode("utf-8", "backslashreplace").decode())  # file names need not be valid text


class ConfigError(ConvexpError):
    """A setting is wrong. The message names the setting, its value, and what would be right."""

    exit_code = 2


class RefusedError(ConfigError):
    """A folder belongs to another run or to another process; nothing in it was changed."""


class BusyError(RefusedError):
    """Another process is working on the run in this folder."""


class TakenOverError(BusyError):
    """Another process has taken over the run that this one was working on."""

    exit_code = 1


class DivergedError(ConvexpError):
    """The training loss is no longer a finite number."""


class PrunedError(ConvexpError):
    """A search has stopped the run, because it does worse than others."""


def one_line(error: Exception) -> str:
    """The message of ``error`` in one line of at most 300 characters."""
    return shorten(str(error), 300)
