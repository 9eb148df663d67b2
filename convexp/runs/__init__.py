"""Run folders: identity, state, result. No torch: a report starts at once."""

from convexp.runs.collect import collect
from convexp.runs.folder import RunFolder, Taken
from convexp.runs.frame import load
from convexp.runs.opened import open_run as open
from convexp.runs.result import FORMAT, Result, identity_hash, read_result

__all__ = ["FORMAT", "Result", "RunFolder", "Taken", "collect", "identity_hash", "load", "open", "read_result"]
