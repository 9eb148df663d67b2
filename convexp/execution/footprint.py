"""A lower bound on the memory of a training, computed before anything is allocated."""

import math

import torch

from convexp.config import Config
from convexp.data import Dataset
from convexp.machine.memory import check_fits
from convexp.models import LayerCost, network_cost

STATES = {"Adam": 2, "AdamW": 2, "NAdam": 2, "RAdam": 2, "Adamax": 2}  # numbers that an optimizer stores for each weight


def check_memory(config: Config, layers: list[LayerCost], data: Dataset) -> None:
    """Raise a ConfigError if the training cannot fit into the memory of the device.

    It needs the weights, their gradients and the optimizer's state. A training batch adds the images at one byte for each
    pixel, the normalised images, and the output of every layer with weights, all of which the backward pass needs. An
    evaluation batch adds the images, the normalised images and the largest output. The real use is higher.

    Args:
        config: Configuration of the run.
        layers: Costs of the network's layers.
        data: The data set.
    """
    setting, free = f"model ({config.model.name})", _free_memory(config)
    number = 8 if config.trainer.precision == "64-true" else 4  # bytes
    output = 2 if config.trainer.precision.endswith("-mixed") else number
    weights = number * network_cost(layers).parameters
    fixed = {
        "weights and gradients": 2 * weights,
        f"what {config.optimizer.target.rpartition('.')[2]} keeps": _numbers_per_weight(config) * weights,
    }
    pixels = math.prod(config.data.input_shape)
    units = [layer.units for layer in layers] or [0]
    shape = "x".join(map(str, config.data.input_shape))
    for batch, images, outputs in (("batch_size", data.train, sum(units)), ("eval_batch_size", data.test, max(units))):
        n = min(getattr(config.data, batch), len(images))
        what = f"data.{batch}={n} images of {shape} and their activations"
        check_fits(setting, fixed | {what: n * (pixels * (1 + number) + output * outputs)}, free)


def _numbers_per_weight(config: Config) -> int:
    name, settings = config.optimizer.target.rpartition(".")[2], config.optimizer.spec()
    return STATES.get(name, int(name == "SGD" and bool(settings.get("momentum"))))


def _free_memory(config: Config) -> int | None:
    """Return the free bytes of the GPU, including those that torch has reserved and does not use; None if the CPU is used."""
    if config.trainer.accelerator not in ("gpu", "auto") or not torch.cuda.is_available():
        return None
    return torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
