"""Check settings of the Trainer against the number of batches, which is known once the data is read."""

from convexp.config.schema import Trainer
from convexp.errors import ConfigError


def check_batches(trainer: Trainer, train: int, val: int) -> None:
    """Check that every epoch has a batch, and ends with a validation of at least one.

    Args:
        trainer: the section.
        train: number of all batches of training images.
        val: number of all batches of validation images.

    Raises:
        ConfigError: naming the setting.
    """
    if trainer.fast_dev_run:
        return
    setting = "overfit_batches" if trainer.overfit_batches else "limit_train_batches"
    limited = _limit(setting, getattr(trainer, setting), train)
    _limit("limit_val_batches", trainer.limit_val_batches, val)
    _check_interval(trainer.val_check_interval, limited)


def _limit(setting: str, limit: int | float | None, batches: int) -> int:
    """The number of batches that ``limit``, a number or a share of them, leaves of all, as Lightning counts them."""
    if limit is None:
        return batches
    left = min(limit, batches) if isinstance(limit, int) else int(batches * limit)
    if not left:
        raise ConfigError(
            f"trainer.{setting}={limit}: leaves no batch of the {batches} there are; should be {1 / batches:.2g} or more"
        )
    return left


def _check_interval(interval: int | float | None, batches: int) -> None:
    """Check that the last validation of an epoch is at its end, where the checkpoint is written."""
    if interval is None:
        return
    every = interval if isinstance(interval, int) else max(1, int(batches * interval))
    if batches % every:
        right = ", ".join(str(n) for n in range(1, batches + 1) if not batches % n)
        raise ConfigError(
            f"trainer.val_check_interval={interval}: the last validation of an epoch has to be at its end, where the "
            f"checkpoint is written; an epoch has {batches} batches, so it should be one of {right}"
        )
