"""JSON files that are complete for every reader, whatever happens to their writer."""

import json
import os
from pathlib import Path
from typing import Any

import orjson

from convexp.errors import ConvexpError
from convexp.files.atomic import atomic_write


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Replace ``file`` atomically: a reader sees the old content or the new one, also after a kill or a loss of power."""
    with atomic_write(file) as partial, partial.open("w", encoding="utf-8") as opened:
        json.dump(value, opened, indent=1, allow_nan=False)
        opened.flush()
        os.fsync(opened.fileno())


def read_json(file: Path) -> dict[str, Any] | None:
    """Return what ``write_json`` wrote; None if there is no such file or it is damaged."""
    try:
        value = orjson.loads(file.read_bytes()) if file.is_file() else None  # a pipe would never end
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def read_format(file: Path, newest: int) -> dict[str, Any] | None:
    """Return what ``write_json`` wrote to a file with its version under ``format``; None if the file is damaged or has none.

    Raises:
        ConvexpError: If the version is above ``newest``, as a newer version of convexp wrote it.
    """
    found = read_json(file)
    if found is None or not isinstance(found.get("format"), int):
        return None
    if found["format"] > newest:
        raise ConvexpError(f"{file}: is of format {found['format']}, this convexp reads {newest}; upgrade convexp")
    return found
