"""Lightning's Trainer for a run, which is one process on one device."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from lightning_fabric.utilities.rank_zero import rank_zero_only

from convexp.config import Config
from convexp.errors import ConfigError, one_line
from convexp.training.checkpoint_io import PlainCheckpointIO


def be_rank_zero() -> None:
    """Log and write as the only process of the run, which this one is.

    Lightning reads a rank from RANK, LOCAL_RANK, SLURM_PROCID and others when it is imported, and with another one than 0 its
    loggers do nothing.
    """
    rank_zero_only.rank = 0  # pyright: ignore[reportFunctionMemberAccess]


def one_process_trainer(config: Config, **settings: Any) -> pl.Trainer:
    """A Trainer on one device with the accelerator and the precision of ``config``, and with further ``settings``.

    Left to itself Lightning looks for Slurm, torchrun, MPI and LSF in the environment and then waits for other processes, which
    have runs of their own to do.
    """
    return pl.Trainer(
        accelerator=config.trainer.accelerator,
        devices=1,
        num_nodes=1,
        plugins=[LightningEnvironment(), PlainCheckpointIO()],
        precision=config.trainer.precision,
        enable_model_summary=False,
        **settings,
    )


@contextmanager
def misconfigured() -> Generator[None]:
    """What Lightning has against callbacks or loggers, which it says once a training begins, as an error in one line."""
    try:
        yield
    except MisconfigurationException as error:
        raise ConfigError(f"callbacks or logger: {one_line(error)}") from None
