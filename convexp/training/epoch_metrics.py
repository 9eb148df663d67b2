"""Metrics of an epoch or a validation, logged at once."""

from collections.abc import Mapping

import pytorch_lightning as pl
import torch
from torch import Tensor


def log_metrics(trainer: pl.Trainer, metrics: Mapping[str, Tensor | float], prog_bar: bool = False, save: bool = True) -> None:
    """Give metrics that are final to loggers, callbacks and the progress bar, as ``LightningModule.log_dict`` does.

    ``log_dict`` makes a torchmetrics object of every value, which takes as long as a training step of a small network.

    Args:
        trainer: Lightning's trainer, which trains with the manual optimization of its module.
        metrics: Scalars by name; numbers become ``float32``, as with ``log_dict``.
        prog_bar: Whether the progress bar shows them.
        save: Whether the loggers write to the disk now; if not, it is before the next checkpoint.
    """
    values = {name: torch.as_tensor(value) for name, value in metrics.items()}
    numbers = {name: value.item() for name, value in values.items()}
    trainer.callback_metrics.update(values)
    trainer.logged_metrics.update(values)
    if prog_bar:
        trainer.progress_bar_metrics.update(numbers)
    for logger in () if trainer.sanity_checking else trainer.loggers:
        logger.log_metrics(metrics=numbers | {"epoch": trainer.current_epoch}, step=trainer.global_step - 1)
        if save:
            logger.save()
