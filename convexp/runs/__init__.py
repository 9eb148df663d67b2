"""Run folders: identity, state, result. No torch: a report starts at once."""

from convexp.runs.collect import collect
from convexp.runs.folder import RunFolder, Taken
from convexp.runs.result import FORMAT, Result, identity_hash, read_result

__all__ = ["FORMAT", "Result", "RunFolder", "Taken", "collect", "identity_hash", "read_result"]
