"""The run that a lesson looks into: ``run=DIR`` of a plain script or of the command, nothing in a notebook opened by hand."""

import os
import sys
from pathlib import Path

from convexp.config.run_folder import CHECKPOINT
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError
from convexp.teaching.mistakes import in_one_line
from convexp.teaching.place import in_notebook

PREFIX = "run="
VARIABLE = "CONVEXP_LESSON_RUN"  # by which convexp-lessons tells the kernels of its notebooks


def given_run() -> Path | None:
    """Return the folder of the run that was given to a lesson, or None if none was.

    A plain script that was given a folder without a checkpoint says so in one line and ends with exit code 2.

    Returns:
        ``DIR`` of ``python scripts/lessons/NAME.py run=DIR`` or of ``convexp-lessons NAME run=DIR``.
    """
    if in_notebook():
        return Path(folder) if (folder := os.environ.get(VARIABLE)) else None
    given = next((word for word in sys.argv[1:] if word.startswith(PREFIX)), None)
    if given is None:
        return None
    with in_one_line():
        return checked_run(given.removeprefix(PREFIX))


def checked_run(given: str) -> Path:
    """Return the absolute path of a run's folder, as it was typed after ``run=``.

    Raises:
        ConfigError: If it is no folder, or holds no checkpoint.
    """
    folder = parse_path("run", given).absolute()
    if not folder.is_dir():
        raise ConfigError(f"run={given}: there is no such folder; name the folder of a run, such as outputs/runs/NAME")
    if not (folder / CHECKPOINT).is_file():
        raise ConfigError(
            f"run={given}: has no {CHECKPOINT}; name the folder of a run that has been trained, such as outputs/runs/NAME"
        )
    return folder
