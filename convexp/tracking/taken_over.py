"""The rows that runs have in the HParams table of a sweep that has taken them over from another one."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from convexp.records import read_record
from convexp.records.plan import read_plan
from convexp.records.plan_part import read_part
from convexp.tracking.final_metrics import final_metrics, table_metrics
from convexp.tracking.hparams_table import FILE, write_columns, write_row


def write_rows(root: Path, folders: Sequence[str]) -> None:
    """Write the rows of runs in the folder ``root`` of a sweep, in the place of those that they had in another table.

    Runs that were done without TensorBoard have none.
    """
    plan = read_plan(root)
    numbers = {run.folder: number for number, run in enumerate(plan.runs if plan else ())}
    for name in folders:
        record = read_record(root / name) if (root / name / FILE).is_file() else None
        if record is None or record.network is None:
            continue
        part = read_part(root, name, numbers.get(name))
        with suppress(OSError, ValueError):  # not writable, or of an older convexp: the row stays as it is
            write_row(root / name, part, record)
            write_columns(root, part, table_metrics(final_metrics(record)))
