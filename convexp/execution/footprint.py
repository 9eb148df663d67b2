"""A lower bound on the memory of a training, computed before anything is allocated."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from pytorch_lightning.callbacks import Callback
from torch import nn
from torch.optim import Optimizer

from convexp.config import Config
from convexp.data import Dataset
from convexp.execution.makers import maker
from convexp.machine.memory import check_fits
from convexp.models import LayerCost, network_cost
from convexp.training.relax import Relax, count_relaxed

SIDE = 16  # of the matrix that optimizers are tried on


def check_memory(config: Config, layers: list[LayerCost], data: Dataset) -> None:
    """Raise a ConfigError if the training cannot fit into the memory of the device.

    It needs the weights, their gradients, the optimizer's state and, with ``ema``, the averaged weights. A training batch adds
    the images at one byte for each pixel, the normalised images, and the output of every layer with weights, all of which the
    backward pass needs. An evaluation batch adds the images, the normalised images and the largest output. The real use is
    higher.

    Args:
        config: Configuration of the run.
        layers: Costs of the network's layers.
        data: The data set.
    """
    _check(f"model ({config.model.name})", config, network_cost(layers).parameters, layers, data)


def check_relaxed_memory(
    config: Config, network: nn.Module, layers: list[LayerCost], data: Dataset, callbacks: Iterable[Callback]
) -> None:
    """Check the same of the network that ``callbacks.relax`` will make of it, which has other parameters and the same outputs.

    Args:
        config: Configuration of the run.
        network: The network before.
        layers: Costs of its layers.
        data: The data set.
        callbacks: Callbacks of the training.

    Raises:
        ConfigError: if the training cannot fit into the memory of the device.
    """
    for callback in callbacks:
        if isinstance(callback, Relax) and callback.at_epoch < config.trainer.max_epochs:
            parameters = count_relaxed(network, callback.to)
            _check(f"callbacks.relax.to={callback.to}", config, parameters, layers, data)


def _check(setting: str, config: Config, parameters: int, layers: list[LayerCost], data: Dataset) -> None:
    free = _free_memory(config)
    for batch, images in (("batch_size", data.train), ("eval_batch_size", data.test)):
        n = min(getattr(config.data, batch), len(images))
        check_fits(setting, needs(config, parameters, layers, n, evaluating=batch == "eval_batch_size"), free)


def needs(config: Config, parameters: int, layers: list[LayerCost], batch: int, evaluating: bool = False) -> dict[str, int]:
    """Return the bytes that a training needs at least while it is at a batch, by what they are needed for.

    Args:
        config: Configuration of the run.
        parameters: Number of the network's parameters.
        layers: Costs of its layers.
        batch: Number of images in the batch.
        evaluating: Whether it is a batch of an evaluation, which needs no backward pass.
    """
    number = 8 if config.trainer.precision == "64-true" else 4  # bytes
    output = 2 if config.trainer.precision.endswith("-mixed") else number
    weights = number * parameters
    units = [layer.units for layer in layers] or [0]
    pixels, shape = math.prod(config.data.input_shape), "x".join(map(str, config.data.input_shape))
    size = "eval_batch_size" if evaluating else "batch_size"
    outputs = max(units) if evaluating else sum(units)
    return {
        "weights and gradients": 2 * weights,
        **({"their moving average": weights} if config.ema is not None else {}),
        f"what {config.optimizer.target.rpartition('.')[2]} keeps": _numbers_per_weight(config) * weights,
        f"data.{size}={batch} images of {shape} and their activations": batch * (pixels * (1 + number) + output * outputs),
    }


def _numbers_per_weight(config: Config) -> int:
    """How many numbers the optimizer keeps for each weight, found by a step on a small matrix; 0 if that is not possible."""
    weight = nn.Parameter(torch.ones(SIDE, SIDE))
    weight.grad = torch.ones_like(weight)
    try:
        optimizer: Any = maker("optimizer", config.optimizer, Optimizer)([weight])
        optimizer.step(lambda: torch.zeros(()))
    except Exception:  # whatever is wrong with it is said where it is made
        return 0
    parts: list[Any] = getattr(optimizer, "parts", [optimizer])
    kept = [value for part in parts for state in part.state.values() for value in state.values()]
    return sum(value.numel() for value in kept if isinstance(value, torch.Tensor)) // weight.numel()


def _free_memory(config: Config) -> int | None:
    """Return the free bytes of the GPU, including those that torch has reserved and does not use; None if the CPU is used."""
    if config.trainer.accelerator not in ("gpu", "auto") or not torch.cuda.is_available():
        return None
    return torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
