"""Going on within an epoch: what Lightning's loops have to be told for it, and when it would not give the same bits."""

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning import LightningModule
from pytorch_lightning.callbacks import Callback, DeviceStatsMonitor, LearningRateMonitor, ProgressBar, WeightAveraging

from convexp.training.stepping import overridden
from convexp.training.tasks.task import Task

PROGRESS = ("ready", "started", "processed", "completed")
BATCH_HOOKS = ("on_train_batch_start", "on_train_batch_end")
EPOCH_HOOKS = ("on_train_epoch_start", "on_train_epoch_end")
VALIDATION_HOOKS = ("on_validation_start", "on_validation_epoch_start")
# Lightning's callbacks that hear of batches and keep nothing of them but what they have logged.
WITHOUT_MEMORY = (LearningRateMonitor, DeviceStatsMonitor)


def mark_unfinished(loops: dict[str, Any], validated: bool, validating: bool) -> None:
    """Change the state of Lightning's loops so that a resumed training begins with the next batch or with the validation.

    By itself Lightning would skip the validation that comes next, or count a step twice, as it takes a checkpoint within an
    epoch for one that was written in ``on_train_batch_end`` or at the end of a validation.

    Args:
        loops: The states of the loops in a checkpoint, which was written before a batch of the training or of the validation.
        validated: Whether the present weights have been validated already.
        validating: Whether the validation has begun; it begins again.
    """
    fit = loops["fit_loop"]
    batches, validation = fit["epoch_loop.batch_progress"], fit["epoch_loop.val_loop.batch_progress"]
    done = validation["total"]["completed"] - (validation["current"]["completed"] if validating else 0)
    _put(validation["total"], done)
    if validating:
        _put(validation["current"], 0)
        for name in PROGRESS[:2]:  # one batch that was started and not processed: this validation is to be finished
            validation["total"][name] += 1
    for progress in (batches["total"], batches["current"]):  # no batch has begun that is not completed
        _put(progress, progress["completed"])
    if validated and not validating:
        fit["epoch_loop.state_dict"]["_batches_that_stepped"] -= 1  # Lightning adds it when it skips the validation


def _put(progress: dict[str, int], count: int) -> None:
    progress.update(dict.fromkeys(PROGRESS, count))


def reason_against(trainer: pl.Trainer) -> str | None:
    """Say why a training that goes on within this epoch might not give the same bits; None if it would."""
    module, loop = trainer.lightning_module, trainer.fit_loop
    if trainer.world_size > 1:
        return "several processes train together"
    if trainer.overfit_batches:  # pyright: ignore
        return "trainer.overfit_batches sets the order of the batches"
    if trainer.should_stop and loop._can_stop_early:  # pyright: ignore[reportPrivateUsage]
        return "the training was about to end"
    if not module.automatic_optimization and not isinstance(module, Task):
        return "the task has an optimization of its own"
    if any(config.reduce_on_plateau for config in trainer.lr_scheduler_configs):
        return "the schedule follows a metric"
    logged = loop.epoch_loop._results  # pyright: ignore[reportPrivateUsage]
    if any(metric.meta.on_epoch and metric.meta.fx not in EPOCH_HOOKS for metric in logged.values()):
        return "the task logs means over the epoch, of which Lightning saves no parts"
    hooks = VALIDATION_HOOKS if trainer.validating else ()
    callbacks: list[Callback] = trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]
    found = {"the task": _hook_of_module(module, hooks)}
    found |= {f"the callback {type(each).__name__}": _hook_of_callback(each, hooks) for each in callbacks}
    return next((f"{who} has a {hook}, and may keep something of the epoch" for who, hook in found.items() if hook), None)


def _hook_of_module(module: LightningModule, hooks: Sequence[str]) -> str | None:
    """The first of ``hooks``, and of those of an epoch, that the user's own module has."""
    base = Task if isinstance(module, Task) else LightningModule
    if type(module).__module__.startswith("convexp."):
        base = type(module)  # it may have been given one
    return overridden(module, base, (*EPOCH_HOOKS, *BATCH_HOOKS, *hooks))


def _hook_of_callback(callback: Callback, hooks: Sequence[str]) -> str | None:
    """The first of ``hooks``, and of those by which a callback may know of an epoch what is in no checkpoint, that it has."""
    known = type(callback) in WITHOUT_MEMORY or isinstance(callback, ProgressBar | WeightAveraging)
    base = type(callback) if known or type(callback).__module__.startswith("convexp.") else Callback
    saved = overridden(callback, base, ("state_dict",)) is not None
    return overridden(callback, base, (EPOCH_HOOKS[0], *(() if saved else BATCH_HOOKS), *hooks))
