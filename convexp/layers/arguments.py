"""The arguments that all layers take, checked: integers, flags, sizes per dimension, padding."""

from collections.abc import Iterable, Sequence
from operator import index
from typing import Any, Literal

from convexp.geometry import Size, resolve_padding

# nn.Conv2d's names for the borders, as F.pad calls them.
PAD_MODE = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}

Sizes = int | Sequence[int]
"""One integer for all dimensions, or one for each."""
Padding = Sizes | Literal["same", "valid"]
"""Padding in pixels, or in words: ``same`` keeps the size at stride 1, ``valid`` is none."""


def integer(value: Any) -> int | None:
    """Return ``value`` as an integer, NumPy's and torch's included; None if it is not one, and for a bool."""
    if isinstance(value, bool):
        return None
    try:
        return index(value)
    except TypeError:
        return None


def count(name: str, value: Any, least: int = 1) -> int:
    """Return ``value`` as a number of things.

    Raises:
        TypeError, ValueError: If it is not an integer, or less than ``least``; the message names the argument.
    """
    number = integer(value)
    if number is None:
        raise TypeError(f"{name}={value!r}: should be an integer")
    if number < least:
        raise ValueError(f"{name}={number}: should be {least} or more")
    return number


def flag(name: str, value: Any) -> bool:
    """Return ``value``, which is True or False.

    Raises:
        TypeError: If it is neither; the message names the argument.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name}={value!r}: should be True or False")
    return value


def sizes(name: str, value: Any, dims: int, least: int) -> Size:
    """Return one integer for each of ``dims`` dimensions, from one integer for all or one for each.

    Raises:
        TypeError, ValueError: If there are not that many integers, or one is less than ``least``, naming the argument.
    """
    several = isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "ndim", 1) > 0
    given = [integer(v) for v in (value if several else (value,))]
    values = tuple(v for v in given if v is not None)
    wanted = "one integer" + {1: "", 2: " or two", 3: " or three"}[dims]
    if len(values) != len(given):
        raise TypeError(f"{name}={value!r}: should be {wanted}")
    values = values if several else values * dims
    if len(values) != dims or any(v < least for v in values):
        raise ValueError(f"{name}={value}: should be {wanted}, each {least} or more")
    return values


def check_mode(padding_mode: str) -> str:
    """Return ``padding_mode``.

    Raises:
        ValueError: If it is not one of ``zeros``, ``reflect``, ``replicate`` and ``circular``.
    """
    if padding_mode not in tuple(PAD_MODE):
        raise ValueError(f"padding_mode={padding_mode}: should be one of {', '.join(PAD_MODE)}")
    return padding_mode


def padding_pixels(padding: Padding, kernel_size: Size, dilation: Size) -> Size:
    """Return ``padding`` in pixels per dimension.

    Raises:
        TypeError, ValueError: If it is neither pixels nor ``same`` nor ``valid``, and for ``same`` with an even kernel.
    """
    pixels = padding if isinstance(padding, str) else sizes("padding", padding, len(kernel_size), 0)
    return resolve_padding(pixels, kernel_size, dilation)
