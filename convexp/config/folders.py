"""The folders that runs and sweeps write to: check their names, create them, and see that they can be written to."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError

MAX_FILE_NAME = 255  # bytes, the limit of common file systems
MAX_NAME = 200  # bytes of a name to which a date or a number is appended


def check_name(setting: str, name: str) -> None:
    """Check that folders can be named after ``name``.

    Raises:
        ConfigError: naming ``setting``.
    """
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        raise ConfigError(f"{setting}={name[:MAX_NAME]}: should be a name that a folder can have, without '/'")
    if len(os.fsencode(name)) > MAX_NAME:
        raise ConfigError(
            f"{setting}={name[:MAX_NAME]}...: should have {MAX_NAME} bytes at most, as folders are named after it"
        )


def check_folder(setting: str, folder: str) -> None:
    """Check that ``folder`` can be the folder of a run or a sweep.

    Raises:
        ConfigError: naming ``setting``, if it is or contains the working directory, or if one of its names is too long.
    """
    if Path.cwd().is_relative_to(Path(folder).absolute().resolve()):
        raise ConfigError(
            f"{setting}={folder or repr(folder)}: is the folder you are in, or contains it; a run needs a folder of its own"
        )
    check_length(setting, folder)


def check_subfolder(setting: str, folder: str) -> None:
    """Check that ``folder`` lies within the folder of its sweep.

    Raises:
        ConfigError: naming ``setting``, if it does not, or if one of its names is too long.
    """
    subfolder = Path(folder)
    if subfolder.is_absolute() or ".." in subfolder.parts or not subfolder.parts:
        raise ConfigError(f"{setting}={folder or repr(folder)}: should be a folder within the sweep's folder")
    check_length(setting, folder)


def check_length(setting: str, folder: str) -> None:
    """Check that file systems can store every name in the path ``folder``.

    Raises:
        ConfigError: naming ``setting``.
    """
    for part in Path(folder).parts:
        if (length := len(os.fsencode(part))) > MAX_FILE_NAME:
            raise ConfigError(f"{setting}: the name {part[:40]}... has {length} bytes; should have {MAX_FILE_NAME} at most")


def setting_of_folder(setting: str, folder: Path, outputs: str) -> str:
    """The setting that determines ``folder``, with its value: ``outputs`` if it lies within that folder, else ``setting``.

    Raises:
        ConfigError: if ``outputs`` is no path.
    """
    return f"outputs={outputs}" if folder.is_relative_to(parse_path("outputs", outputs)) else f"{setting}={folder}"


def make_writable_folder(setting: str, folder: Path) -> None:
    """Create ``folder`` with its parents unless it exists, and check that it can be written to.

    Args:
        setting: the setting that the folder comes from, with its value, for the message of an error.
        folder: the folder.

    Raises:
        ConfigError: if it cannot be created or written to; folders that were created are removed.
    """
    missing = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]  # the deepest first
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_access(folder)
    except OSError as error:
        for path in missing:
            with suppress(OSError):
                path.rmdir()
        raise _unwritable(setting, folder, error) from None


def check_writable(setting: str, folder: Path) -> None:
    """Check, as far as possible without creating it, that ``folder`` could be created and written to.

    Raises:
        ConfigError: as ``make_writable_folder`` does.
    """
    existing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    try:
        _check_access(existing)
    except OSError as error:
        raise _unwritable(setting, folder, error) from None


def _check_access(folder: Path) -> None:
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _unwritable(setting: str, folder: Path, error: OSError) -> ConfigError:
    path = error.filename or folder
    return ConfigError(f"{setting}: {path} cannot be written to ({error.strerror}); choose a folder that can be written to")
