"""The logger that writes ``metrics.csv``."""

import csv
from collections.abc import Collection
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger

from convexp.errors import one_line
from convexp.files.atomic import atomic_write
from convexp.records.log import log
from convexp.records.metrics_file import FILE, read_metrics


class MetricsCSV(Logger):
    """Writes ``metrics.csv`` with one row for each logged step, which is one row for each epoch.

    The last row also has the final metrics, which are those of the best checkpoint (``test/acc``, ``best/val/acc``,
    ``probe/...`` and ``parameters/...``). Lightning's CSVLogger would empty the folder of a run that is resumed.

    Args:
        folder: Folder of the run.
        purge_step: First step that a resumed run writes again; its rows from this step on are dropped.
    """

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        super().__init__()
        self.file = folder / FILE
        self.rows: list[dict[str, Any]] = []
        self._written = _Text()
        if purge_step is not None:
            try:
                self.rows = [row for row in read_metrics(self.file) if row["step"] < purge_step]
            except FileNotFoundError:  # as in the first epoch, in which nothing may have been logged yet
                log.info("metrics.csv has no rows before step %d", purge_step)
            except (OSError, ValueError, csv.Error) as error:
                log.warning("metrics.csv cannot be read (%s): its rows before step %d are lost", one_line(error), purge_step)

    @property
    def name(self) -> str:
        """Return the name of the logger."""
        return "csv"

    @property
    def version(self) -> str:
        """Return an empty string, as a run has one such file."""
        return ""

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the settings are in ``.hydra/config.yaml``."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Add metrics to the row of ``step``."""
        if self.rows and int(self.rows[-1]["step"]) == step:
            self.rows[-1].update(metrics)
        else:
            self.rows.append({"step": step, **metrics})

    def save(self) -> None:
        """Replace the file by one with all rows."""
        if self.rows:
            _write(self.file, self._written.of(self.rows))

    def finalize(self, status: str) -> None:
        """Write all rows."""
        self.save()


def remove_columns(file: Path, names: Collection[str]) -> None:
    """Remove columns from a ``metrics.csv``; one that is missing, damaged or without them is left as it is."""
    with suppress(OSError, ValueError, csv.Error):
        rows = read_metrics(file)
        kept = [{name: value for name, value in row.items() if name not in names} for row in rows]
        if kept != rows:
            _write(file, _Text().of(kept))


class _Text:
    """The text of a table that grows by rows, of which only the last changes: the others are not formatted again."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}  # of the columns, in the order in which they have come
        self.before = StringIO(newline="")  # the header, and the rows before the last
        self.count = 0  # of these rows

    def of(self, rows: list[dict[str, Any]]) -> str:
        """Return the text of rows, the first of which are those of the last call."""
        if any(name not in self.names for row in rows[self.count :] for name in row):
            self.names = dict.fromkeys(name for row in rows for name in row)
            self.before, self.count = StringIO(newline=""), 0
            self._writer(self.before).writeheader()
        self._writer(self.before).writerows(rows[self.count : -1])
        self.count = len(rows) - 1
        last = StringIO(newline="")
        self._writer(last).writerow(rows[-1])
        return self.before.getvalue() + last.getvalue()

    def _writer(self, text: StringIO) -> "csv.DictWriter[str]":
        return csv.DictWriter(text, list(self.names), restval="")


def _write(file: Path, text: str) -> None:
    with atomic_write(file) as partial:
        partial.write_text(text, encoding="utf-8", newline="")
