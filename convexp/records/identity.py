"""What makes two runs the same: the settings that can change a result, and their hash."""

import hashlib
import json
from typing import Any

# Settings that change no result: the run's name, where it and its data lie, how it is watched, how much of the machine it uses.
OUTSIDE_IDENTITY = (
    "name",
    "outputs",
    "resume",
    "data_root",
    "logger",
    "study",
    "on_failure",
    "trainer.profiler",
    "data.memory_gb",
    "data.workers",
    "data.source.cache",
)
# Where public data lies, which is the same everywhere. The location of a user's own images belongs to the identity.
LOCATIONS = ("data.source.root", "data.source.download")


def identity_hash(settings: Any) -> str:
    """Return the first 16 hex digits of the SHA-256 of ``settings`` (plain containers) as canonical JSON."""
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
