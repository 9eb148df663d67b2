"""What the synthetic data sets share: drawing images in chunks, and checks of their settings."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from convexp.data.rng import generator
from convexp.errors import ConfigError
from convexp.machine.memory import check_fits

CHUNK = 1000  # Images drawn from one generator. Another number gives other images.


def draw_in_chunks(n: int, draw: Callable[[torch.Generator], tuple[Tensor, ...]], *key: int | str) -> tuple[Tensor, ...]:
    """Draw ``n`` rows of tensors, ``CHUNK`` rows at a time, so that fewer rows are the beginning of more.

    Args:
        n: Number of rows.
        draw: Returns tensors of ``CHUNK`` rows drawn from a generator.
        key: Key of the draws. Each chunk has a generator of its own, ``generator(*key, chunk)``.
    """
    made = [draw(generator(*key, chunk)) for chunk in range(-(-n // CHUNK))]
    return tuple(torch.cat(tensors)[:n] for tensors in zip(*made, strict=True))


def check_memory(n: int, shape: list[int], part: str) -> None:
    """Check that ``n`` images of ``shape`` fit into memory twice, since chunks are concatenated. A pixel takes one byte.

    Raises:
        ConfigError: If they do not fit. The message names the setting ``data.source.<part>``.
    """
    check_fits(f"data.source.{part}={n}", {"images": 2 * n * math.prod(shape)})


def source_error(setting: str, value: object, expected: str) -> ConfigError:
    """Return the error for a wrong value of a setting of ``data.source``; its ``shape`` is set by ``data.image_shape``."""
    name = "data.image_shape" if setting == "shape" else f"data.source.{setting}"
    return ConfigError(f"{name}={value}: {expected}")


def check_integers(values: dict[str, Any], **minimum: int) -> None:
    """Check that settings are whole numbers of at least 1, or of at least what ``minimum`` gives for their name.

    Raises:
        ConfigError: If a setting is not.
    """
    for setting, value in values.items():
        smallest = minimum.get(setting, 1)
        if type(value) is not int or value < smallest:
            raise source_error(setting, value, f"should be a whole number, {smallest} or more")
