"""The errors a user can mend: reported in one line, without a traceback."""

from textwrap import shorten


class ConvexpError(Exception):
    """Something went wrong that one line explains; ``exit_code`` is what the process ends with."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message.encode("utf-8", "backslashreplace").decode())  # names of files may be no text


class ConfigError(ConvexpError):
    """A setting is wrong: the message names the setting, its value and what would be right."""

    exit_code = 2


class RefusedError(ConfigError):
    """A folder belongs to another run or to another process: nothing in it was touched."""


class BusyError(RefusedError):
    """A folder is in the hands of another process, which does the run."""


class DivergedError(ConvexpError):
    """The training loss stopped being a finite number."""


def one_line(error: Exception) -> str:
    """What an error says, in one line of 300 characters at most."""
    return shorten(str(error), 300)
