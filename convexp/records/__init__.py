"""The run folder and what it records: identity, state, result, plan; and the index over many runs. No torch."""

from convexp.records.folder import RunFolder, Taken
from convexp.records.index import collect
from convexp.records.result import FORMAT, Result, identity_hash, read_result

__all__ = ["FORMAT", "Result", "RunFolder", "Taken", "collect", "identity_hash", "read_result"]
