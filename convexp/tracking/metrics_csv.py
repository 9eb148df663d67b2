"""metrics.csv: one row per logged step."""

import csv
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger

from convexp.errors import one_line
from convexp.files.atomic import atomic_write
from convexp.records.log import log


class MetricsCSV(Logger):
    """Rows of ``epoch, step, <metrics>`` in ``metrics.csv``; a resumed run drops the rows it is going to write again.

    The last row also has the final metrics (``test/acc``, ``best/val/acc``, ``probe/...``, ``parameters/...``), those of
    the best checkpoint; so there is one row per epoch.

    Lightning's own CSVLogger empties the folder of a run that is resumed.
    """

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        super().__init__()
        self.file = folder / "metrics.csv"
        self.rows: list[dict[str, Any]] = []
        if purge_step is not None:
            try:
                self.rows = [row for row in _read(self.file) if row["step"] < purge_step]
            except (OSError, ValueError, csv.Error) as error:
                log.warning("metrics.csv cannot be read (%s): its rows before step %d are lost", one_line(error), purge_step)

    @property
    def name(self) -> str:
        """Name of the logger."""
        return "csv"

    @property
    def version(self) -> str:
        """There is one per run."""
        return ""

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: they are in ``.hydra/config.yaml``."""

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Add to the row of ``step``."""
        if self.rows and int(self.rows[-1]["step"]) == step:
            self.rows[-1].update(metrics)
        else:
            self.rows.append({"step": step, **metrics})

    def save(self) -> None:
        """Write the file; a run has few rows, so all of them each time."""
        if not self.rows:
            return
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with atomic_write(self.file) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names, restval="")
            writer.writeheader()
            writer.writerows(self.rows)

    def finalize(self, status: str) -> None:
        """Write what is left."""
        self.save()


def _read(file: Path) -> list[dict[str, Any]]:
    """The rows of a ``metrics.csv``.

    Raises:
        OSError, ValueError, csv.Error: if it is none.
    """
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    if any(None in row or None in row.values() or "step" not in row for row in rows):
        raise ValueError("its rows and its columns do not go together")
    return [{**row, "step": int(row["step"])} for row in rows]
