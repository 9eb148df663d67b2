"""JSON files that a reader finds whole, whatever happened to their writer."""

import json
import os
from pathlib import Path
from typing import Any

import orjson

from convexp.atomic import whole


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Replace ``file`` atomically: a reader sees the old one or the new one, also after a kill or power loss."""
    with whole(file) as partial, partial.open("w", encoding="utf-8") as opened:
        json.dump(value, opened, indent=1, allow_nan=False)
        opened.flush()
        os.fsync(opened.fileno())


def read_json(file: Path) -> dict[str, Any] | None:
    """What ``write_json`` wrote; None if there is none or it is damaged."""
    try:
        value = orjson.loads(file.read_bytes()) if file.is_file() else None  # a pipe would never end
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
