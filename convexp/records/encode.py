"""From a record to the JSON that ``result.json`` holds."""

import math
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from convexp.records.record import FORMAT, DataRecord, ProbeRecord, RunRecord, Seconds

NEVER = ("path", "too_large")  # known only where many records are read
ONCE_STARTED = ("data", "metrics", "probes", "versions", "git", "seconds")


def as_json(record: RunRecord) -> dict[str, Any]:
    """Return the JSON of a record; numbers that are not finite, which JSON does not have, become null.

    What is not known yet has no key, except that ``error`` is null for a run that has not failed.
    """
    values = {key: value for key, value in asdict(record).items() if value is not None or key == "error"}
    left_out = NEVER if record.identity is not None else (*NEVER, *ONCE_STARTED)
    return {"format": FORMAT} | {key: plain(value) for key, value in values.items() if key not in left_out}


def plain(value: Any) -> Any:
    """Return a value as plain containers for JSON; numbers that are not finite become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return plain(_fields(value)) if isinstance(value, Struct) else value


def _fields(section: Struct) -> dict[str, Any]:
    """The keys of a section."""
    values = asdict(section)
    if isinstance(section, ProbeRecord):
        skipped = values.pop("skipped")
        return values if skipped is None else {"skipped": skipped}
    if isinstance(section, DataRecord):
        values |= values.pop("notes")
    if isinstance(section, DataRecord | Seconds):
        return {key: value for key, value in values.items() if value is not None}
    return values
