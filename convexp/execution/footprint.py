"""What a training holds in memory at least: known from sizes and counts before anything of it is allocated."""

import math

import torch

from convexp.config import Config
from convexp.data import Dataset
from convexp.machine.memory import check_fits
from convexp.models import LayerCost, network_cost

STATES = {"Adam": 2, "AdamW": 2, "NAdam": 2, "RAdam": 2, "Adamax": 2}  # numbers that an optimizer keeps for each weight


def check_memory(config: Config, layers: list[LayerCost], data: Dataset) -> None:
    """Raise a ConfigError if weights, what the optimizer keeps and a batch do not fit where the network is going to be.

    Of a batch the images (a byte a pixel), the normalised ones and the output of every layer with weights count, all of which
    the backward pass needs; in an evaluation the images and the largest output. Both are less than what is really taken.
    """
    setting, free = f"model ({config.model.name})", _free(config)
    number = 8 if config.trainer.precision == "64-true" else 4  # bytes
    output = 2 if config.trainer.precision.endswith("-mixed") else number
    weights = number * network_cost(layers).parameters
    kept = {
        "weights and gradients": 2 * weights,
        f"what {config.optimizer.target.rpartition('.')[2]} keeps": _states(config) * weights,
    }
    pixels = math.prod(config.data.input_shape)
    units = [math.prod(layer.output_shape) for layer in layers]
    shape = "x".join(map(str, config.data.input_shape))
    for batch, images, outputs in (("batch_size", data.train, sum(units)), ("eval_batch_size", data.test, max(units))):
        n = min(getattr(config.data, batch), len(images))
        what = f"data.{batch}={n} images of {shape} and their activations"
        check_fits(setting, kept | {what: n * (pixels * (1 + number) + output * outputs)}, free)


def _states(config: Config) -> int:
    name, settings = config.optimizer.target.rpartition(".")[2], config.optimizer.spec()
    return STATES.get(name, int(name == "SGD" and bool(settings.get("momentum"))))


def _free(config: Config) -> int | None:
    """Of the GPU that the network is going to be on, with what torch holds of it and does not use; None for the machine."""
    if config.trainer.accelerator not in ("gpu", "auto") or not torch.cuda.is_available():
        return None
    return torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
