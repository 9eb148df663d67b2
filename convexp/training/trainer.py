"""Lightning's Trainer for a run, on one device unless told otherwise."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.utilities.rank_zero import rank_zero_only

from convexp.config import Config
from convexp.errors import ConfigError, one_line
from convexp.machine import interruption
from convexp.training.checkpoint_io import PlainCheckpointIO


def set_rank_zero() -> None:
    """Make this process rank 0, the one that logs and writes files.

    Lightning reads a rank from RANK, LOCAL_RANK, SLURM_PROCID and other variables when it is imported. With a rank other than
    0 its loggers write nothing.
    """
    rank_zero_only.rank = 0  # pyright: ignore[reportFunctionMemberAccess]


class StepLimitedTrainer(pl.Trainer):
    """A Trainer that knows that ``StopAfterSteps`` may end the training, so that schedules have the right length.

    Attributes:
        step_limit: Number of steps after which the training ends; None if its epochs alone end it.
    """

    step_limit: int | None = None

    @property
    def received_sigterm(self) -> bool:
        """Whether Lightning is to end the training by its own means: not if ``interrupt`` has heard of it, and saves first."""
        # In this order, as the signal may come between the two questions.
        return super().received_sigterm and not interruption.noted()

    @property
    def estimated_stepping_batches(self) -> int | float:
        """The number of steps of the whole training."""
        steps = super().estimated_stepping_batches
        return steps if self.step_limit is None else min(steps, self.step_limit)


def one_device_trainer(config: Config, **settings: Any) -> pl.Trainer:
    """Make a Trainer on one device with the accelerator and the precision of ``config``.

    Without these plugins Lightning looks for Slurm, torchrun, MPI and LSF in the environment and waits for other processes,
    which have runs of their own to do.

    Args:
        config: The configuration of the run.
        **settings: Further arguments of ``pytorch_lightning.Trainer``.
    """
    if settings.get("deterministic") is False and not torch.are_deterministic_algorithms_enabled():
        del settings["deterministic"]  # so it is, and torch would import its compiler to say so there, too
    one_device: dict[str, Any] = {"devices": 1, "num_nodes": 1, "plugins": [LightningEnvironment(), PlainCheckpointIO()]}
    trainer = StepLimitedTrainer(
        accelerator=config.trainer.accelerator,
        precision=config.trainer.precision,
        **dict[str, Any](enable_model_summary=False, inference_mode=config.trainer.inference_mode) | one_device | settings,
    )
    trainer.step_limit = config.trainer.max_steps
    return trainer


@contextmanager
def refused_by_lightning(setting: str, *refusals: type[Exception]) -> Generator[None]:
    """Turn exceptions by which Lightning refuses callbacks or loggers into a ConfigError of one line.

    Args:
        setting: Name of the setting, used in the error message.
        *refusals: Types of the exceptions that are a refusal in this block.
    """
    try:
        yield
    except refusals as error:
        raise ConfigError(f"{setting}: {one_line(error)}") from None
