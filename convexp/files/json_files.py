"""JSON files that are complete for every reader, whatever happens to their writer."""

import json
import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import orjson
from msgspec import Struct

from convexp.errors import ConvexpError
from convexp.files.atomic import atomic_write

S = TypeVar("S", bound=Struct)


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


def write_struct(file: Path, value: Struct, version: int) -> None:
    """Replace ``file`` as ``write_json`` does, with the fields of ``value`` and the version under ``format``."""
    write_json(file, {"format": version, **msgspec.to_builtins(value)})


def read_struct(file: Path, kind: type[S], newest: int) -> S | None:
    """Return what ``write_struct`` wrote; None if there is no such file or it is damaged.

    Raises:
        ConvexpError: If the version is above ``newest``, as a newer version of convexp wrote it.
    """
    found = read_json(file)
    if found is None or not isinstance(found.get("format"), int):
        return None
    if found["format"] > newest:
        raise ConvexpError(f"{file}: is of format {found['format']}, this convexp reads {newest}; upgrade convexp")
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError:
        return None
