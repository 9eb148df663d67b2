"""The rows that runs have in the HParams table of a sweep that takes them over from another one."""

from contextlib import suppress
from pathlib import Path

from convexp.records import read_record
from convexp.records.plan_part import read_part
from convexp.tracking.final_metrics import final_metrics, table_metrics
from convexp.tracking.hparams_table import FILE, write_columns, write_row


def write_taken_row(root: Path, name: str, number: int, folder: Path) -> None:
    """Write the row that a run gets in the table of a sweep, in the place of the one that it had in another table.

    A run that was done without TensorBoard has none.

    Args:
        root: The folder of the sweep.
        name: The folder that the run gets in it.
        number: The number of the run in the sweep.
        folder: The folder that the files of the run lie in until it is taken over.
    """
    record = read_record(folder) if (folder / FILE).is_file() else None
    if record is None or record.network is None:
        return
    part = read_part(root, name, number)
    with suppress(OSError, ValueError):  # not writable, or of an older convexp: the row stays as it is
        write_row(folder, part, record)
        write_columns(root, part, table_metrics(final_metrics(record)))
