"""What sources that draw their images share."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from convexp.data.rng import generator
from convexp.errors import ConfigError
from convexp.machine.memory import check_fits

CHUNK = 1000  # images from one generator; another number would make other images


def chunks(n: int, make: Callable[[torch.Generator], tuple[Tensor, ...]], *key: int | str) -> tuple[Tensor, ...]:
    """The first ``n`` rows of what ``make`` draws, CHUNK rows at a time, each with a generator of its own.

    So fewer images are the beginning of more.
    """
    made = [make(generator(*key, chunk)) for chunk in range(-(-n // CHUNK))]
    return tuple(torch.cat(tensors)[:n] for tensors in zip(*made, strict=True))


def check_room(n: int, shape: list[int], part: str) -> None:
    """Raise a ConfigError unless ``n`` images of ``shape``, a byte a pixel, fit into memory, in chunks and put together."""
    check_fits(f"data.source.{part}={n}", {"images": 2 * n * math.prod(shape)})


def wrong(setting: str, value: object, right: str) -> ConfigError:
    """What is said of a setting of the source."""
    return ConfigError(f"data.source.{setting}={value}: {right}")


def check_whole(values: dict[str, Any], **least: int) -> None:
    """Raise a ConfigError unless each value is a whole number, at least 1 or what ``least`` says of it."""
    for setting, value in values.items():
        smallest = least.get(setting, 1)
        if type(value) is not int or value < smallest:
            raise wrong(setting, value, f"should be a whole number, {smallest} or more")
