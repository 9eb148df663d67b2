"""What a run that goes on to another number of epochs needs of its checkpoint, and what of its end it has to forget."""

from pathlib import Path

from pytorch_lightning import LightningModule

from convexp.errors import ConfigError
from convexp.records import RunRecord
from convexp.records.record import ExtensionRecord
from convexp.terminal.words import plural
from convexp.tracking.final_metrics import final_metrics
from convexp.tracking.metrics_csv import remove_columns
from convexp.training.checkpoints import LAST, Checkpoints
from convexp.training.resuming import UnusableError, position, read_checkpoints


def check_checkpoint(folder: Path, module: LightningModule, extension: ExtensionRecord) -> None:
    """Check that a training can go on from its checkpoint. A run that was interrupted may also start again at the beginning.

    Args:
        folder: Folder of the checkpoints.
        module: Module of the run.
        extension: How the number of epochs changes.

    Raises:
        ConfigError: if the training was stopped early or has done more epochs, or a finished run has no usable checkpoint.
    """
    setting = f"trainer.max_epochs={extension.to_epochs}"
    try:
        checkpoint, problem = read_checkpoints(folder, module), f"{LAST} is missing"
    except UnusableError as error:
        checkpoint, problem = None, str(error)
    if checkpoint is None:
        if extension.metrics:
            raise ConfigError(f"{setting}: this run cannot go on, checkpoints: {problem}; train a new run")
        return
    done = int(checkpoint["epoch"]) + 1
    if checkpoint["callbacks"][Checkpoints.__name__]["stopped"]:
        raise ConfigError(f"{setting}: this run was stopped after {plural(done, 'epoch')}, and would be again; leave it out")
    if extension.to_epochs < done:
        begun = f"begun epoch {done}" if position(checkpoint)[1] else f"done {plural(done, 'epoch')}"
        raise ConfigError(f"{setting}: this run has {begun}; should be more")


def forget_end(folder: Path, record: RunRecord) -> None:
    """Remove from ``metrics.csv`` the metrics that were added when the run ended: it goes on, and they come at its new end."""
    if record.network is not None:
        remove_columns(folder / "metrics.csv", final_metrics(record))
