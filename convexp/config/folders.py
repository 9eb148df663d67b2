"""Names and folders that a configuration may make."""

import os
from pathlib import Path

from convexp.errors import ConfigError

LONGEST = 255  # bytes of a file name, as file systems have it


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
    path = Path(folder)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ConfigError(f"{setting}={folder or repr(folder)}: should be a folder within the sweep's")
    check_length(setting, folder)


def check_length(setting: str, folder: str) -> None:
    """Raise a ConfigError naming ``setting`` if a name in the path ``folder`` is longer than file systems take."""
    for part in Path(folder).parts:
        if (length := len(os.fsencode(part))) > LONGEST:
            raise ConfigError(f"{setting}: {part[:40]}... is a file name of {length} bytes; {LONGEST} are possible at most")
