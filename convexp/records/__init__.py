"""The run folder and what it records: identity, status, record, plan; and the records of many runs. No torch."""

from convexp.records.folder import RunFolder
from convexp.records.identity import identity_hash
from convexp.records.index import collect
from convexp.records.record import RunRecord
from convexp.records.record_file import read_record, write_record
from convexp.records.status import RunStatus

__all__ = ["RunFolder", "RunRecord", "RunStatus", "collect", "identity_hash", "read_record", "write_record"]
