"""The loggers of a run, from the start of its training to its end."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from torch import Tensor

from convexp.execution.makers import Maker, naming
from convexp.records import RunRecord
from convexp.records.log import log
from convexp.records.plan_part import PlanPart
from convexp.tracking.final_metrics import final_metrics
from convexp.tracking.hparams import cells, columns, session_group
from convexp.tracking.metrics_csv import MetricsCSV
from convexp.tracking.tensorboard import TensorBoard, boards
from convexp.tracking.trackers import close, keep


class RunLoggers:
    """Opens the loggers of a run, gives them the final metrics and ends them.

    Args:
        makers: Callables that make the loggers from ``folder`` and ``purge_step``.
        folder: Folder of the run.
        study: What the run needs of the plan of its study; None if it belongs to none.

    Attributes:
        opened: The loggers; empty before the training starts.
    """

    def __init__(self, makers: Sequence[Maker[Logger]], folder: Path, study: PlanPart | None) -> None:
        self.makers = makers
        self.folder = folder
        self.study = study
        self.opened: list[Logger] = []
        self._sent: dict[str, Any] = {}  # settings, which trackers have

    def open(self, purge_step: int | None) -> list[Logger]:
        """Make the loggers; a resumed run writes again from step ``purge_step`` on, which is None for one that starts.

        Raises:
            ConfigError: naming the logger, if it cannot be made.
        """
        self._end_trackers(failed=True)  # of a start whose checkpoint could not be used
        self._sent = {}
        self.opened = []
        for make in self.makers:
            with naming(make.setting, make.target):
                self.opened.append(make(folder=self.folder, purge_step=purge_step))
        return self.opened

    def start(self, record: RunRecord) -> None:
        """Add the run to TensorBoard's HParams table, and open those of the trackers, which get the settings.

        Trackers are opened when they are first used, which takes seconds that are none of the training.

        Raises:
            ConfigError: naming the logger, if it cannot be opened.
        """
        for board in boards(self.opened):
            board.start(record, self.study)
        self._send_settings(record)
        for tracker in self._trackers():
            keep(tracker, self.folder)

    def finish(self, record: RunRecord, pictures: Mapping[str, Tensor], step: int) -> None:
        """Log the final metrics, and the pictures in TensorBoard; ``step`` is the number of training steps."""
        metrics = final_metrics(record)
        for board in boards(self.opened):
            for name, picture in pictures.items():
                board.picture(name, picture, step)
            board.finish(metrics, step, self.study)
        self._send_settings(record)
        for logger in self.opened:
            if not isinstance(logger, TensorBoard):
                logger.log_metrics(metrics, max(0, step - 1))  # the step at which Lightning logs the last epoch
                logger.save()

    def _send_settings(self, record: RunRecord) -> None:
        """Send trackers the settings that they do not have yet, or have with another value."""
        # Trackers average over the runs of a group, which differ only in the seed, as TensorBoard does.
        settings = cells(columns(self.study), record) | {"seed": record.seed, "group": session_group(record, self.study)}
        new = {name: value for name, value in settings.items() if name not in self._sent or self._sent[name] != value}
        for make, logger in zip(self.makers, self.opened, strict=True):
            if new and not isinstance(logger, TensorBoard | MetricsCSV):
                with naming(make.setting, make.target):
                    logger.log_hyperparams(new)
        self._sent = settings

    def _trackers(self) -> list[Logger]:
        return [logger for logger in self.opened if not isinstance(logger, TensorBoard | MetricsCSV)]

    @contextmanager
    def ending_with(self, record: RunRecord) -> Generator[None]:
        """End the trackers after the block, as finished or failed as ``record`` says; an error of theirs fails no run."""
        try:
            yield
        finally:
            self._end_trackers(failed=not record.is_finished)

    def _end_trackers(self, failed: bool) -> None:
        for tracker in self._trackers():
            try:
                close(tracker, failed)
            except Exception as error:
                log.warning("%s cannot be closed: %s", type(tracker).__name__, error)
