"""Progress of a training on the terminal: a bar where somebody watches, else a line for each epoch."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, Checkpoint, TQDMProgressBar

from convexp.terminal import console


class EpochProgressBar(TQDMProgressBar):
    """Shows one bar, which starts again with every epoch.

    It is redrawn every 20 batches, as a redraw takes longer than a training step of a small network.
    """

    def __init__(self) -> None:
        super().__init__(refresh_rate=20)

    def on_train_start(self, *_: Any) -> None:
        """Label the bar of a training that goes on within an epoch, whose start is not announced again."""
        super().on_train_start(*_)
        trainer: pl.Trainer = _[0]
        if trainer.fit_loop.restarted_mid_epoch:
            self.on_train_epoch_start(trainer)

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Label the bar with the epoch, counted from 1."""
        super().on_train_epoch_start(trainer)
        self.train_progress_bar.set_description(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Draw the bar if one of the batches since ``batch_idx`` is one to draw it at: there may be several at a time."""
        last = trainer.fit_loop.epoch_loop.batch_idx
        if last + 1 != self.train_progress_bar.total:
            last -= (last + 1) % self.refresh_rate
        if last >= batch_idx:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, last)

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """Return the metrics beside the bar, without the version number that Lightning adds."""
        return {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}


class EpochPrinter(Checkpoint):
    """Prints a line for each epoch, for files and pipes.

    It is a ``Checkpoint``, as Lightning calls those once the metrics of the training are those of the whole epoch.
    """

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the metrics of the epoch."""
        console.out.print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: {format_metrics(trainer)}", markup=False)


def progress_callbacks(in_sweep: bool) -> list[Callback]:
    """Return a progress bar on a terminal and an epoch printer elsewhere, but no printer for the runs of a sweep."""
    if console.is_terminal():
        return [EpochProgressBar()]
    return [] if in_sweep else [EpochPrinter()]


def format_metrics(trainer: pl.Trainer) -> str:
    """Format the current metrics in order of their names, as in ``train/loss 0.1234, val/acc 0.98``.

    Those of an older validation are left out, in epochs without one.
    """
    every = trainer.check_val_every_n_epoch
    validated = not every or (trainer.current_epoch + 1) % every == 0
    metrics = {name: value for name, value in trainer.callback_metrics.items() if validated or not name.startswith("val/")}
    return ", ".join(f"{name} {float(value):.4g}" for name, value in sorted(metrics.items()))
