"""Checkpoints: the state of a training after epochs, the best one, and the one at the step at which it was interrupted."""

import math
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint, WeightAveraging

from convexp.files.atomic import atomic_write
from convexp.machine import interruption
from convexp.records.log import log
from convexp.training.progress import format_metrics
from convexp.training.unfinished_epoch import mark_unfinished, reason_against

BEST, LAST = "best.ckpt", "last.ckpt"
SECONDS = 1.0  # of training that a process which is killed may lose, beside the unfinished epoch


class Checkpoints(Checkpoint):
    """Writes ``last.ckpt`` after epochs, and ``best.ckpt`` whenever the monitored metric has improved.

    ``last.ckpt`` is written after the first epoch, after the last one, together with ``best.ckpt``, and after every other epoch
    that ends at least ``seconds`` after the last time it was written: an epoch of a small network takes less than that.

    A training that is asked to stop (``convexp.machine.interruption``) writes ``last.ckpt`` within the epoch, before its next
    batch, be that one of the training or of the validation. It goes on there, if that gives the same bits; otherwise nothing is
    written, and it goes on after the last epoch.

    Lightning's ModelCheckpoint writes the file twice, stores absolute paths in it, and forgets the best value when the folder
    has been moved. Lightning calls a ``Checkpoint`` after all other callbacks, so their states of this epoch are in the file.

    The files are written under temporary names at the end of the epoch. They are renamed once the loggers have received and
    saved all metrics of the epoch, which is when the next epoch or the end of the training begins. So whenever a run is killed,
    its logs hold everything up to its checkpoint, and the resumed run drops what lies after it.

    Args:
        folder: Folder that the checkpoints are written to.
        monitor: Name of the metric that decides which epoch is the best.
        mode: ``"max"`` if a larger value is better, ``"min"`` if a smaller one is.
        seconds: Least time between two times that ``last.ckpt`` is written for its own sake.

    Attributes:
        best: Best value of the metric so far; None before the first epoch.
        best_epoch: Epoch of the best value, counted from 0; -1 before the first epoch.
        stopped: Whether the training was stopped early.
        batches: Batches of the epoch that the checkpoint was written after; 0 at the end of an epoch.
        has_started: Whether the training has started; everything that is restored from a checkpoint is restored by then.
    """

    def __init__(self, folder: Path, monitor: str, mode: str, seconds: float) -> None:
        self.folder = folder
        self.monitor = monitor
        self.seconds = seconds
        self.sign = 1 if mode == "max" else -1
        self.best: float | None = None
        self.best_epoch = -1
        self.stopped = False
        self.batches = 0
        self.has_started = False
        self._saved_step = 0  # the step of last.ckpt
        self._saved_at = -math.inf  # on the clock, in seconds
        self._validated_step = -1  # the step of the last validation
        self._pending: ExitStack | None = None  # files that are written and not renamed yet

    def state_dict(self) -> dict[str, Any]:
        """Return the best value, its epoch, whether the training was stopped early, and the batches of an unfinished epoch."""
        return {"best": self.best, "best_epoch": self.best_epoch, "stopped": self.stopped, "batches": self.batches}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what ``state_dict`` returned, but for the batches, which are those of the checkpoint alone."""
        self.best, self.best_epoch, self.stopped = (state_dict[key] for key in ("best", "best_epoch", "stopped"))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop at once if the resumed training had been stopped early."""
        self.has_started = True
        self._saved_step = trainer.global_step
        trainer.should_stop = trainer.should_stop or self.stopped

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Rename the files of the epoch before; stop if that was asked for and nothing is lost by it."""
        self._rename_pending(trainer)
        if interruption.requested() and self._is_saved(trainer):
            raise KeyboardInterrupt

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        """Save and stop before this batch, if that was asked for; between two steps, as gradients are in no checkpoint.

        Lightning has begun the epoch by now. Before its first batch the epoch before can no longer be saved, so that this batch
        is trained on if that is not done yet.
        """
        within = batch_idx > 0 and batch_idx % trainer.accumulate_grad_batches == 0
        if interruption.requested() and (within or self._is_saved(trainer)):
            self._stop_after(batch_idx, trainer, pl_module)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Correct Lightning's count of batches in a validation that was begun, interrupted and begins again."""
        trainer.fit_loop.epoch_loop.val_loop.batch_progress.total.reset_on_restart()

    def on_validation_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Save and stop before this batch, if that was asked for; the validation begins again then."""
        if interruption.requested():
            done = trainer.fit_loop.epoch_loop.batch_progress
            if done.is_last_batch or done.current.completed % trainer.accumulate_grad_batches == 0:
                self._stop_after(done.current.completed, trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Rename the files of the last epoch."""
        self._rename_pending(trainer)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Remove files that are not renamed yet."""
        if self._pending is not None:
            self._pending.__exit__(type(exception), exception, exception.__traceback__)

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Describe an unfinished epoch as Lightning has to find it."""
        if self.batches:
            mark_unfinished(checkpoint["loops"], self._validated_step == trainer.global_step, trainer.validating)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note that the metric is that of the present weights."""
        self._validated_step = -1 if trainer.sanity_checking else trainer.global_step

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the files of this epoch, whose validation is done by now; one without a validation is never the best."""
        log.info("epoch %d, step %d: %s", trainer.current_epoch + 1, trainer.global_step, format_metrics(trainer))
        if trainer.fast_dev_run or not trainer.is_global_zero:  # pyright: ignore
            return
        self.stopped = trainer.should_stop
        improved = self._validated_step == trainer.global_step and self._improves(trainer)
        if improved or self._is_due(trainer):
            self._write(trainer, (LAST, BEST) if improved else (LAST,))

    def _stop_after(self, batches: int, trainer: pl.Trainer, module: pl.LightningModule) -> NoReturn:
        """Save the state after so many batches of this epoch, unless it is saved already, and stop."""
        where = f"interrupted in epoch {trainer.current_epoch + 1} after {batches} batches, step {trainer.global_step}"
        if not self._is_saved(trainer) and not trainer.fast_dev_run:  # pyright: ignore
            with interruption.saving():
                if reason := reason_against(trainer):
                    log.info("%s; resumes after the last checkpoint, as %s", where, reason)
                else:
                    self._save_within_epoch(batches, trainer, module)
                    log.info("%s; resumes there", where)
        raise KeyboardInterrupt

    def _save_within_epoch(self, batches: int, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.batches, self.stopped = batches, trainer.should_stop
        for callback in trainer.callbacks if trainer.validating else ():  # pyright: ignore[reportAttributeAccessIssue]
            if isinstance(callback, WeightAveraging):
                callback.on_validation_epoch_end(trainer, module)  # the weights are trained on, not their averages
        self._write(trainer, (LAST,))
        self._rename_pending(trainer)

    def _is_saved(self, trainer: pl.Trainer) -> bool:
        """Whether there is no step that ``last.ckpt`` does not have."""
        return trainer.global_step == self._saved_step

    def _is_due(self, trainer: pl.Trainer) -> bool:
        """Whether ``last.ckpt`` is to be written at the end of this epoch."""
        is_last = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        return is_last or interruption.requested() or time.monotonic() - self._saved_at >= self.seconds

    def _improves(self, trainer: pl.Trainer) -> bool:
        """Whether the monitored metric is better than ever; if so it is noted as the best."""
        value = float(trainer.callback_metrics[self.monitor])
        improved = self.best is None or math.isnan(self.best) or self.sign * value > self.sign * self.best
        if improved:
            self.best, self.best_epoch = value, trainer.current_epoch
        return improved

    def _write(self, trainer: pl.Trainer, names: Sequence[str]) -> None:
        self.folder.mkdir(exist_ok=True)
        self._pending = ExitStack()
        first, *copies = [self._pending.enter_context(atomic_write(self.folder / name)) for name in names]
        trainer.save_checkpoint(first)
        for copy in copies:
            shutil.copyfile(first, copy)
        self._saved_step, self._saved_at = trainer.global_step, time.monotonic()

    def _rename_pending(self, trainer: pl.Trainer) -> None:
        # An ExitStack closes the last file first. A kill in between leaves an older last.ckpt beside the new best.ckpt.
        if self._pending is not None:
            for logger in trainer.loggers:
                logger.save()
            self._pending.close()
            self._pending = None
