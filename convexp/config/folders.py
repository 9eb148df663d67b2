"""Names and folders that a configuration may make."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from convexp.config.places import path
from convexp.errors import ConfigError

LONGEST = 255  # bytes of a file name, as file systems have it
LONGEST_NAME = 200  # bytes of a name that a date or a number comes after


def check_name(setting: str, name: str) -> None:
    """Raise a ConfigError naming ``setting`` unless folders can be named after ``name``."""
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        raise ConfigError(f"{setting}={name[:LONGEST_NAME]}: should be a name that a folder can have, without '/'")
    if len(os.fsencode(name)) > LONGEST_NAME:
        raise ConfigError(
            f"{setting}={name[:LONGEST_NAME]}...: should have {LONGEST_NAME} bytes at most, as folders are named after it"
        )


def check_folder(setting: str, folder: str) -> None:
    """A run or a sweep has a folder of its own, which can be made.

    Raises:
        ConfigError: naming ``setting``, if it is the working directory or holds that, or one of its names is too long.
    """
    if Path.cwd().is_relative_to(Path(folder).absolute().resolve()):
        raise ConfigError(f"{setting}={folder or repr(folder)}: is the folder you are in, or holds it; name one of its own")
    check_length(setting, folder)


def check_subfolder(setting: str, folder: str) -> None:
    """A run of a sweep has a folder within the sweep's.

    Raises:
        ConfigError: naming ``setting``, if it lies elsewhere, is the sweep's, or one of its names is too long.
    """
    subfolder = Path(folder)
    if subfolder.is_absolute() or ".." in subfolder.parts or not subfolder.parts:
        raise ConfigError(f"{setting}={folder or repr(folder)}: should be a folder within the sweep's")
    check_length(setting, folder)


def check_length(setting: str, folder: str) -> None:
    """Raise a ConfigError naming ``setting`` if a name in the path ``folder`` is longer than file systems take."""
    for part in Path(folder).parts:
        if (length := len(os.fsencode(part))) > LONGEST:
            raise ConfigError(f"{setting}: {part[:40]}... is a file name of {length} bytes; {LONGEST} are possible at most")


def origin(setting: str, folder: Path, outputs: str) -> str:
    """What ``folder`` is from, and was told: ``outputs``, where it lies below that, else ``setting``.

    Raises:
        ConfigError: if ``outputs`` is no path.
    """
    return f"outputs={outputs}" if folder.is_relative_to(path("outputs", outputs)) else f"{setting}={folder}"


def make(said: str, folder: Path) -> None:
    """Make ``folder``, which may be there, and see that it can be written in.

    Raises:
        ConfigError: opening with ``said``, the setting that the folder is from, if it cannot; nothing is left then.
    """
    missing = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]  # the deepest first
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_access(folder)
    except OSError as error:
        for place in missing:
            with suppress(OSError):
                place.rmdir()
        raise _unwritable(said, folder, error) from None


def check_makable(said: str, folder: Path) -> None:
    """See that ``folder`` could be made and written in, without making it, as far as that can be told; errors as ``make``."""
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    try:
        _check_access(there)
    except OSError as error:
        raise _unwritable(said, folder, error) from None


def _check_access(folder: Path) -> None:
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _unwritable(said: str, folder: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{said}: {error.filename or folder} cannot be written to ({error.strerror}); name a folder that can")
