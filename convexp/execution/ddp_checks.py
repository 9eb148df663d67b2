"""Checks of a training in several processes that need torch, the network and the data."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from convexp.config import Config
from convexp.data import Dataset
from convexp.errors import ConfigError
from convexp.training.ddp import on_gpu


def check_gpus(config: Config) -> None:
    """Check that there is a GPU for every process of this machine, if they train on GPUs.

    Raises:
        ConfigError: saying how many torch sees.
    """
    trainer = config.trainer
    if trainer.processes > 1 and on_gpu(config) and torch.cuda.device_count() < trainer.devices:
        raise ConfigError(
            f"trainer.devices={trainer.devices}: torch sees {torch.cuda.device_count()} GPU here; should be at most that, or "
            "use trainer.accelerator=cpu"
        )


def check_together(config: Config, data: Dataset, network: nn.Module) -> None:
    """Check that every process has images, and that the network is the same as in one process.

    Raises:
        ConfigError: naming the setting.
    """
    trainer = config.trainer
    if trainer.processes == 1:
        return
    least = min(len(data.train), len(data.val))
    if least < trainer.processes:
        raise ConfigError(
            f"trainer.devices={trainer.devices}: some of the {trainer.processes} processes would have no image, as there are "
            f"{len(data.train)} to train and {len(data.val)} to validate with; should be less"
        )
    norm = next((name for name, layer in network.named_modules() if isinstance(layer, _BatchNorm)), None)
    if norm is not None and not on_gpu(config):
        raise ConfigError(
            f"trainer.devices={trainer.devices}: the network has batch normalisation ({norm}), whose statistics torch takes "
            "over several processes on GPUs only; set model.norm=none, or trainer.devices=1"
        )
