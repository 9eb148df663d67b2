"""What happens around the epochs: checkpoints, the random state, the progress bar."""

import math
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, Checkpoint, EarlyStopping, TQDMProgressBar

from convexp.files.atomic import atomic_write
from convexp.records.log import log
from convexp.terminal import console

BEST, LAST = "best.ckpt", "last.ckpt"


class Checkpoints(Checkpoint):
    """After every epoch ``last.ckpt``, and ``best.ckpt`` whenever the monitored value has improved.

    Lightning's ModelCheckpoint writes the file twice, keeps absolute paths in it, and forgets the best value when the
    folder has been moved. As a ``Checkpoint`` it comes after all other callbacks, so that their state of this epoch is in
    the file. That is written when the epoch ends, and takes its place once the loggers have been told all of the epoch: a
    resumed run has in its records what was before its checkpoint, whenever it was killed, and drops what was after it.
    """

    def __init__(self, folder: Path, monitor: str, mode: str) -> None:
        self.folder = folder
        self.monitor = monitor
        self.sign = 1 if mode == "max" else -1
        self.best: float | None = None
        self.best_epoch = -1
        self.stopped = False
        self.began = False  # what there was to restore is restored
        self._written: ExitStack | None = None  # files that are to take their places

    def state_dict(self) -> dict[str, Any]:
        """The best value so far and its epoch."""
        return {"best": self.best, "best_epoch": self.best_epoch, "stopped": self.stopped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self.best, self.best_epoch, self.stopped = (state_dict[key] for key in ("best", "best_epoch", "stopped"))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A training that was stopped early stays so when it is resumed."""
        self.began = True
        trainer.should_stop = trainer.should_stop or self.stopped

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The epoch before is done: its files take their places."""
        self._replace()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The last epoch is done: its files take their places."""
        self._replace()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """What has not taken its place never will."""
        if self._written is not None:
            self._written.__exit__(type(exception), exception, exception.__traceback__)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the files; the validation of the epoch is done by now."""
        log.info("epoch %d, step %d: %s", trainer.current_epoch + 1, trainer.global_step, metrics_in_words(trainer))
        if trainer.fast_dev_run:  # pyright: ignore
            return
        value = float(trainer.callback_metrics[self.monitor])
        self.stopped = trainer.should_stop
        improved = self.best is None or math.isnan(self.best) or self.sign * value > self.sign * self.best
        if improved:
            self.best, self.best_epoch = value, trainer.current_epoch
        self._write(trainer, (LAST, BEST) if improved else (LAST,))

    def _write(self, trainer: pl.Trainer, names: Sequence[str]) -> None:
        self.folder.mkdir(exist_ok=True)
        self._written = ExitStack()
        first, *copies = [self._written.enter_context(atomic_write(self.folder / name)) for name in names]
        trainer.save_checkpoint(first)
        for copy in copies:
            shutil.copyfile(first, copy)

    def _replace(self) -> None:
        """The last comes first: a kill in between leaves an older ``last.ckpt`` beside the new ``best.ckpt``."""
        if self._written is not None:
            self._written.close()
            self._written = None


def early_stopping(monitor: str, patience: int) -> EarlyStopping:
    """Stop when ``monitor`` (an accuracy should rise, a loss fall) has not improved for ``patience`` epochs, 0 or more."""
    if patience < 0:
        raise ValueError(f"patience={patience}: should be 0 or more")
    return EarlyStopping(monitor, patience=patience, mode="max" if monitor.endswith("acc") else "min")


class RandomState(Callback):
    """Keeps torch's random state in the checkpoints, so that a resumed run draws what it would have drawn."""

    def state_dict(self) -> dict[str, Any]:
        """Generator states of the CPU and of every GPU."""
        return {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Set them again."""
        torch.set_rng_state(state_dict["cpu"].cpu())
        if state_dict["cuda"] and torch.cuda.device_count() == len(state_dict["cuda"]):
            torch.cuda.set_rng_state_all([state.cpu() for state in state_dict["cuda"]])


class Progress(TQDMProgressBar):
    """One line for the epochs of the run; a redraw costs more than a step of a small network, so they are few."""

    def __init__(self) -> None:
        super().__init__(refresh_rate=20)

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Epochs count from 1, for people."""
        super().on_train_epoch_start(trainer)
        self.train_progress_bar.set_description(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}")

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """Without the version number that Lightning shows."""
        return {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}


class EpochLines(Checkpoint):
    """A line for each epoch, where nobody watches a bar: for files and pipes.

    Lightning calls a ``Checkpoint`` once the metrics of the training are those of the whole epoch.
    """

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say the metrics of the epoch."""
        console.out.print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: {metrics_in_words(trainer)}", markup=False)


def metrics_in_words(trainer: pl.Trainer) -> str:
    """``train/loss 0.1234, val/acc 0.98``."""
    return ", ".join(f"{name} {float(value):.4g}" for name, value in sorted(trainer.callback_metrics.items()))
