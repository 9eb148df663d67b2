"""result.json: what a run is and what came out of it."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from convexp.files.atomic import open_append
from convexp.files.json_files import read_format, write_json

FORMAT = 1
FILE = "result.json"
LOG = "train.log"

Result = dict[str, Any]


def identity_hash(settings: Any) -> str:
    """First 16 hex digits of the SHA-256 of ``settings`` (plain containers) as canonical JSON."""
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _finite(value: Any) -> Any:
    """JSON has no NaN or infinity: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return [_finite(v) for v in value] if isinstance(value, list | tuple) else value


def write_result(folder: Path, result: Result) -> None:
    """Replace ``result.json`` atomically."""
    write_json(folder / FILE, _finite(result))


def read_result(folder: Path) -> Result | None:
    """The result in ``folder``; None if there is none or it is damaged (the run then counts as not done).

    Raises:
        ConvexpError: if a newer convexp wrote it.
    """
    return read_format(folder / FILE, FORMAT)


def write_failure(folder: Path, error: str, mendable: bool) -> None:
    """Note, in result and log, that a run failed before it could start, unless the folder holds the result of one that did."""
    if "identity" not in (read_result(folder) or {}):
        folder.mkdir(parents=True, exist_ok=True)
        write_result(folder, {"format": FORMAT, "state": "failed", "name": folder.name, "error": error, "mendable": mendable})
        with open_append(folder / LOG) as log:
            log.write(f"failed before the start: {error}\n")
