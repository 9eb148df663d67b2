"""Reading and writing ``result.json``, the record of a run, in its folder."""

from pathlib import Path

from convexp.errors import ConvexpError
from convexp.files.atomic import open_append
from convexp.files.json_files import write_json
from convexp.records.damage import DamagedError, NewerError
from convexp.records.decode import RecordDecoder
from convexp.records.encode import as_json
from convexp.records.record import FORMAT, RunRecord
from convexp.records.status import RunStatus

FILE = "result.json"
LOG = "train.log"


def write_record(folder: Path, record: RunRecord) -> None:
    """Replace the ``result.json`` in ``folder``; a reader sees the old one or the new one.

    Raises:
        OSError: If it cannot be written.
    """
    write_json(folder / FILE, as_json(record))


def load_record(folder: Path, decoder: RecordDecoder | None = None) -> RunRecord:
    """Read the record of the run in ``folder``.

    Args:
        folder: Folder of the run.
        decoder: A decoder that many records share.

    Raises:
        DamagedError: If there is none, or it is not as a run writes it; the message is a line that names file and field.
        ConvexpError: If a newer version of convexp wrote it.
    """
    file = folder / FILE
    try:
        content = file.read_bytes() if file.is_file() else None  # a pipe would never end
    except OSError as error:
        raise DamagedError(f"{FILE} cannot be read ({error.strerror})") from None
    if content is None:
        raise DamagedError(f"{FILE} is missing")
    try:
        return (decoder or RecordDecoder()).decode(content)
    except DamagedError as error:
        raise DamagedError(f"{FILE} is damaged: {error}") from None
    except NewerError as error:
        raise ConvexpError(f"{file}: {error}, this convexp reads {FORMAT}; upgrade convexp") from None


def read_record(folder: Path) -> RunRecord | None:
    """Read the record of the run in ``folder``; None if there is none or it is damaged: the run then counts as not done.

    Raises:
        ConvexpError: If a newer version of convexp wrote it.
    """
    try:
        return load_record(folder)
    except DamagedError:
        return None


def write_failure(folder: Path, error: str, config_error: bool) -> None:
    """Record that a run failed before it could start, unless the folder holds the record of one that did start."""
    before = read_record(folder)
    if before is not None and before.identity is not None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    failed = RunRecord(state=RunStatus.FAILED, name=folder.name, error=error, config_error=config_error)
    write_record(folder, failed)
    with open_append(folder / LOG) as log:
        log.write(f"failed before the start: {error}\n")
