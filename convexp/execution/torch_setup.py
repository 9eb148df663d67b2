"""Torch and Lightning before a run: the device, the threads, small numbers, and Lightning's messages."""

import logging
import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager

import torch

from convexp.config import Config
from convexp.errors import ConfigError
from convexp.training.trainer import set_rank_zero

THREADS = torch.get_num_threads()  # torch's own default, shared out among the processes of runs that do not set a number

VISIBLE = "CUDA_VISIBLE_DEVICES"


def prepare_torch(config: Config) -> None:
    """Check the device, set the number of threads, silence Lightning and make this process rank 0.

    On the CPU, subnormal numbers (below 1.2e-38 in float32) count as zero from here on. An optimizer's average of gradients
    that have become zero, as those of a unit that no image activates, decays into them within a thousand steps and stays there,
    and a CPU takes many times as long for them. No weight notices: Adam's step from such an average is below 1e-30.

    Raises:
        ConfigError: if the configuration asks for a device that torch does not find.
    """
    silence_lightning()
    set_rank_zero()
    check_device(config)
    torch.set_flush_denormal(True)  # before the first operation in several threads, which inherit it when they are started
    torch.set_num_threads(config.trainer.threads or max(1, _default_threads() // config.trainer.devices))


def _default_threads() -> int:
    """Torch's own number of threads, or the part of the cores that an engine gave this process after torch was imported."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) > 0 else THREADS


def silence_lightning() -> None:
    """Silence Lightning's log messages and warnings that say nothing new to the user of convexp."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")  # images lie in memory
    warnings.filterwarnings("ignore", message=".*log_every_n_steps.*")  # small data sets
    warnings.filterwarnings("ignore", message=".*requested to overfit.*")  # trainer.overfit_batches is set for that
    warnings.filterwarnings("ignore", message=".*`srun` command is available.*")  # a run is one process
    warnings.filterwarnings("ignore", message=".*AMP with fp16 is not supported on CPU.*")  # the record has the real precision
    warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")  # EpochSampler begins at the right batch
    warnings.filterwarnings("ignore", message=".*sync_dist=True.*")  # for training; docs/training.md says it (trainer=ddp)
    warnings.filterwarnings("ignore", message=".*smallest subnormal.*is zero.*")  # older NumPy, of what prepare_torch sets
    warnings.filterwarnings("ignore", message=".*AccumulateGrad node's stream.*")  # Lightning's use of torch
    warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated.*")  # Lightning's use of torch


def check_device(config: Config) -> None:
    """Raise a ConfigError if the configuration asks for a GPU that torch does not find."""
    if config.trainer.accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("trainer.accelerator=gpu: torch sees no GPU here; use trainer=cpu or trainer=auto")
    if config.trainer.accelerator == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("trainer.accelerator=mps: torch sees no Apple GPU here; use trainer=cpu or trainer=auto")


@contextmanager
def no_gpu_looked_for() -> Generator[None]:
    """A context in which torch does not look for GPUs anew in every step of an optimizer, if there are none.

    Looking takes as long as the step of a small network. Nothing else is told, as torch has found no GPU before either.
    """
    if VISIBLE in os.environ or torch.cuda.is_available():
        yield
        return
    os.environ[VISIBLE] = ""
    try:
        yield
    finally:
        os.environ.pop(VISIBLE, None)
