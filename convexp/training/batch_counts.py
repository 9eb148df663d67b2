"""Lightning's counts of batches and steps, when one call of ``training_step`` trains on several batches.

Lightning counts such a call as one batch, and none of its steps. Its counts are corrected here, and only here, so that they
mean the same as in a training whose batches are handed out one by one: ``global_step``, the steps of loggers, the validations
within an epoch, and what a checkpoint says of them.
"""

import math
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import WeightAveraging


def batches_ahead(trainer: pl.Trainer, step_limit: int | None) -> int:
    """Return how many batches can be trained on before Lightning or a callback has something to do in between, at least 1.

    Args:
        trainer: Lightning's trainer, before a batch is fetched.
        step_limit: Number of steps after which the training ends; None if its epochs alone end it.
    """
    if any(isinstance(callback, WeightAveraging) for callback in trainer.callbacks):  # pyright: ignore
        return 1  # it averages the weights after each batch
    progress = trainer.fit_loop.epoch_loop.batch_progress
    done, every = progress.current.ready, trainer.val_check_batch
    ahead = [trainer.num_training_batches - done]
    if every is not None and not math.isinf(every):
        counted = progress.total.ready if trainer.check_val_every_n_epoch is None else done
        ahead.append(every - counted % every)
    for steps in (step_limit, trainer.min_steps):
        if steps is not None and steps > trainer.global_step:
            ahead.append(steps - trainer.global_step)
    return max(1, int(min(ahead)))


def count_batches(trainer: pl.Trainer, count: int) -> None:
    """Count ``count`` batches and as many steps, in ``training_step``, where Lightning has begun to count one batch.

    Args:
        trainer: Lightning's trainer, with the manual optimization of its module.
        count: The batches that the call of ``training_step`` has trained on.
    """
    loop, fetcher = trainer.fit_loop.epoch_loop, trainer.fit_loop._data_fetcher  # pyright: ignore[reportPrivateUsage]
    assert fetcher is not None
    steps, more = loop.manual_optimization.optim_step_progress, count - 1
    for counts in (steps.total, steps.current):
        counts.ready += count
        counts.completed += count
    if not more:
        return
    loop.batch_progress.increment_by(more)
    loop._batches_that_stepped += more  # pyright: ignore[reportPrivateUsage]
    fetcher.fetched += more
    fetcher.done = fetcher.length is not None and fetcher.fetched >= fetcher.length
    loop.batch_progress.is_last_batch = fetcher.done


def restore_step_count(loop: dict[str, Any], steps: int, by_lightning: bool) -> None:
    """Have a training go on counting steps, whichever way the steps before the checkpoint were made.

    Lightning counts the steps that it makes in one place and those of manual optimization in another, and reads only the one.

    Args:
        loop: The state of Lightning's loop over epochs in the checkpoint, which is changed.
        steps: The steps of the optimizer that are done.
        by_lightning: Whether Lightning makes the steps of the training that goes on.
    """
    if by_lightning:
        counts = loop["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]["step"]["total"]
    else:
        counts = loop["epoch_loop.manual_optimization.optim_step_progress"]["total"]
    if counts["completed"] != steps:
        counts.update(ready=steps, completed=steps)
