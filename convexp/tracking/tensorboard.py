"""TensorBoard: curves, the HParams table, charts that compare, pictures."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor
from torch.utils.tensorboard.summary import custom_scalars
from torch.utils.tensorboard.summary import hparams as session_summaries

from convexp.records import Result
from convexp.records.plan import read_plan, sweep_root
from convexp.tracking.final_metrics import charts, headlines
from convexp.tracking.hparams_table import write_columns, write_row


class TensorBoard(TensorBoardLogger):
    """Events in the run folder itself; what belongs to all runs of a study is in the folder above it."""

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        super().__init__(save_dir=folder, name="", version="", default_hp_metric=False, purge_step=purge_step)
        self.folder = folder

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: ``start`` writes the curated ones."""

    def save(self) -> None:
        """Flush: what is logged outlives a kill. Lightning's would write the hyperparameters to a file of its own."""
        self.experiment.flush()

    def finalize(self, status: str) -> None:
        """Flush only: the test, the probes and the pictures are still to come."""
        self.experiment.flush()

    def start(self, result: Result) -> None:
        """Put the run into the HParams table; before anything else is logged, so that TensorBoard reads it first."""
        self.root = sweep_root(self.folder) or self.folder.parent
        self.plan = read_plan(self.root)
        write_row(self.folder, self.plan, result)
        self._describe([])

    def _describe(self, metrics: list[str]) -> None:
        if self.root.resolve() != Path.cwd():  # a run by itself, in the folder where somebody works
            with suppress(OSError):  # not ours to write to: the table is less tidy then
                write_columns(self.root, self.plan, metrics)

    def _write(self, summary: Any) -> None:
        writer: Any = self.experiment.file_writer
        writer.add_summary(summary)
        writer.flush()

    def finish(self, metrics: dict[str, float], step: int) -> None:
        """Write the final metrics, once, and the charts of them, and close the session as a success."""
        for tag, value in metrics.items():
            self.experiment.add_scalar(tag, value, step)
        self._write(custom_scalars(_layout(metrics)))
        self._write(session_summaries({}, {})[2])
        self.experiment.close()
        self._describe(headlines(metrics))

    def picture(self, tag: str, image: Tensor, step: int) -> None:
        """Show an image ``(3, H, W)``, uint8."""
        self.experiment.add_image(tag, image, step)
        self.experiment.flush()


def _layout(metrics: dict[str, float]) -> dict[str, dict[str, list[Any]]]:
    """The charts as torch's writer takes them, which takes names for regular expressions."""
    return {
        category: {title: ["Multiline", [f"^{re.escape(tag)}$"]] for title, tag in titles.items()}
        for category, titles in charts(metrics).items()
    }
