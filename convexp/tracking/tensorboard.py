"""The TensorBoard logger: curves, the HParams table, charts of single runs, and pictures."""

import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger, TensorBoardLogger
from torch import Tensor
from torch.utils.tensorboard.summary import custom_scalars
from torch.utils.tensorboard.summary import hparams as session_summaries

from convexp.records import RunRecord
from convexp.records.plan_part import PlanPart, sweep_root
from convexp.tracking.final_metrics import RUN_CHARTS, table_metrics
from convexp.tracking.hparams_table import write_columns, write_row


class TensorBoard(TensorBoardLogger):
    """Writes events into the run folder, and the columns of the HParams table into the folder that holds all runs.

    Args:
        folder: Folder of the run.
        purge_step: First step that a resumed run writes again; TensorBoard ignores events from this step on.
    """

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        _wait_for_a_later_name(folder)
        super().__init__(save_dir=folder, name="", version="", default_hp_metric=False, purge_step=purge_step)
        self.folder = folder
        self.table_folder = sweep_root(folder) or folder.parent

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Do nothing: ``start`` writes the curated settings."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write scalars, without the number of the epoch, which Lightning adds and which would be a chart of its own."""
        super().log_metrics({name: value for name, value in metrics.items() if name != "epoch"}, step)

    def save(self) -> None:
        """Flush, so that logged values survive a kill. Lightning's method would write the settings to a file of its own."""
        self.experiment.flush()

    def finalize(self, status: str) -> None:
        """Flush only, as Lightning calls this before the test, the probes and the pictures."""
        self.experiment.flush()

    def start(self, record: RunRecord, plan: PlanPart | None) -> None:
        """Add the run to the HParams table. This comes before all other events, so that TensorBoard reads it first.

        Args:
            record: Record of the run so far, with its configuration and its network.
            plan: What the run needs of the plan of its study; None if it belongs to none.
        """
        write_row(self.folder, plan, record)
        self._write_columns(plan, [])

    def finish(self, metrics: dict[str, float], step: int, plan: PlanPart | None) -> None:
        """Write the final metrics and the layout of the charts, and close the session with the status success.

        Each final metric is a chart with a single point, so only those are written that the HParams table needs here.

        Args:
            metrics: Final metrics of the run.
            step: Number of training steps.
            plan: What the run needs of the plan of its study; None if it belongs to none.
        """
        for tag in table_metrics(metrics):
            self.experiment.add_scalar(tag, metrics[tag], step)
        self._write(custom_scalars(_layout()))
        self._write(session_summaries({}, {})[2])
        self.experiment.close()
        self._write_columns(plan, table_metrics(metrics))

    def picture(self, tag: str, image: Tensor, step: int) -> None:
        """Log an image ``(3, H, W)`` of type uint8, under a name that TensorBoard sorts behind the charts of accuracy."""
        self.experiment.add_image(f"pictures/{tag}", image, step)
        self.experiment.flush()

    def _write(self, summary: Any) -> None:
        writer: Any = self.experiment.file_writer
        writer.add_summary(summary)
        writer.flush()

    def _write_columns(self, plan: PlanPart | None, metrics: list[str]) -> None:
        if self.table_folder.resolve() != Path.cwd():  # a single run in the user's working directory gets no table
            with suppress(OSError):  # the folder may belong to another user; the run is complete without a table
                write_columns(self.table_folder, plan, metrics)


def _wait_for_a_later_name(folder: Path) -> None:
    """Wait, for a second at most, until a new file of events is the last by name.

    TensorBoard reads the files in the order of their names, which begin with the second of their making and go on with the
    number of the process. A run that is resumed within a second would be read before its own beginning.
    """
    while any(folder.glob(f"events.out.tfevents.{int(time.time()):010}.*")):
        time.sleep(0.02)


def boards(loggers: Iterable[Logger]) -> list[TensorBoard]:
    """Select the TensorBoard loggers."""
    return [logger for logger in loggers if isinstance(logger, TensorBoard)]


def _layout() -> dict[str, dict[str, list[Any]]]:
    """Lay out the charts in the form of torch's writer, which takes tags as regular expressions."""
    return {
        category: {title: ["Multiline", [f"^{re.escape(tag)}$"]] for title, tag in titles.items()}
        for category, titles in RUN_CHARTS.items()
    }
