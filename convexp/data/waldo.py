"""Where is Waldo: a small striped pattern among patches of the same brightness, at a known place."""

import math
from typing import Any

import torch
from torch import Tensor

from convexp.data.source import Source
from convexp.data.synthetic import CHUNK, check_room, check_whole, chunks, wrong

GREY, CONTRAST = 128, 64  # background, and what bright and dark pixels differ from it by


def patterns(side: int) -> Tensor:
    """The pattern, horizontal stripes, and after it the six distractors: ``(7, side, side)``, +1 bright, -1 dark.

    Vertical stripes, a checkerboard, both diagonals (``(i +- j) mod side < side / 2``), the upper half, the left half. For an
    even ``side`` half of the pixels of each are bright, so that they have one histogram.
    """
    i, j = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    half = side // 2
    distractors = (j % 2 == 0, (i + j) % 2 == 0, (i + j) % side < half, (i - j) % side < half, i < half, j < half)
    return torch.stack((i % 2 == 0, *distractors)) * 2.0 - 1


def waldo(
    shape: list[int], train: int, test: int, task: str, grid: int, side: int, distractors: int, noise: float, seed: int
) -> Source:
    """Images of ``shape`` with the pattern, or without it, among distractors, to learn from and to test on.

    The settings are those of ``waldo_images``, which also says where the pattern is.
    """
    learn, labels, _ = waldo_images("train", train, shape, task, grid, side, distractors, noise, seed)
    unseen, test_labels, found = waldo_images("test", test, shape, task, grid, side, distractors, noise, seed)
    boxes = torch.stack((found, torch.where(found < 0, -1, found + side)), 1)  # (N, 2, 2)
    return Source(learn, labels, unseen, test_labels, test_objects=boxes)


def waldo_images(
    part: str, n: int, shape: list[int], task: str, grid: int, side: int, distractors: int, noise: float, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Images ``(n, 1, H, W)`` uint8, labels ``(n,)``, and the row and column of the pattern's first pixel, ``(n, 2)`` int64.

    Squares of ``patterns(side)`` lie on grey 128, bright 192, dark 64. They neither overlap nor touch, so that no parts of two
    of them make another pattern. The pattern comes first, uniform over all ``(H-side+1)(W-side+1)`` places; then each
    distractor, uniform over the places that are left. (To reject crowded images instead would make the pattern rarer in the
    middle; the price of not doing so is that ``distractors`` is bounded by what fits in whatever order.) An image without the
    pattern has one more distractor in its place: neither the brightness, nor the histogram, nor where the patches lie tells
    the classes apart. A smaller ``n`` gives the beginning of a larger one.

    Args:
        part: "train" or "test"; each has draws of its own.
        n: images.
        shape: [1, H, W].
        task: "presence": label 1 with the pattern, 0 without it (position -1, -1), by turns. "location": always there, the
            label is the cell, row by row, of a ``grid`` x ``grid`` division of the image, in which the pattern's centre lies.
        grid: cells in each direction.
        side: of the patches, in pixels; even.
        distractors: patches beside the pattern.
        noise: standard deviation, in grey levels, of Gaussian noise on every pixel, before rounding and clipping to 0..255.
        seed: of all draws.

    Raises:
        ConfigError: naming the setting, if one is out of range or so many patches are not sure to fit.
    """
    _check({part: n, "grid": grid, "side": side, "distractors": distractors, "seed": seed}, shape, task, noise)
    check_room(n, shape, part)
    size = (shape[1], shape[2])
    kinds = patterns(side)
    within = torch.arange(side)
    image = torch.arange(CHUNK)
    there = image % 2 == 1 if task == "presence" else image >= 0

    def make(drawn: torch.Generator) -> tuple[Tensor, Tensor]:
        places = _places(size, side, 1 + distractors, drawn)  # (CHUNK, 1 + distractors, 2)
        kind = torch.randint(1, len(kinds), places.shape[:2], generator=drawn)
        kind[there, 0] = 0
        row, column = places[:, :, :, None, None].unbind(2)  # (CHUNK, 1 + distractors, 1, 1)
        pixels = torch.randn(CHUNK, *size, generator=drawn) * noise + GREY
        pixels[image[:, None, None, None], row + within[:, None], column + within] += CONTRAST * kinds[kind]
        position = places[:, 0].where(there[:, None], -1)
        return pixels.round_().clamp_(0, 255).to(torch.uint8)[:, None], position

    images, positions = chunks(n, make, "waldo", seed, part)
    if task == "presence":
        return images, (positions[:, 0] >= 0).long(), positions
    cell = (2 * positions + side) * grid // (2 * torch.tensor(size))  # of the centre, position + side / 2
    return images, cell[:, 0] * grid + cell[:, 1], positions


def _places(size: tuple[int, int], side: int, patches: int, drawn: torch.Generator) -> Tensor:
    """First pixels of squares that do not touch, ``(CHUNK, patches, 2)``: each uniform over what those before it leave."""
    rows, columns = (n - side + 1 for n in size)
    free = torch.ones(CHUNK, rows, columns, dtype=torch.bool)
    places: list[Tensor] = []
    for _ in range(patches):
        count = free.flatten(1).cumsum(1, dtype=torch.int32)  # (CHUNK, rows*columns)
        rank = (torch.rand(CHUNK, 1, generator=drawn, dtype=torch.float64) * count[:, -1:]).int() + 1
        at = torch.searchsorted(count, rank)  # (CHUNK, 1), the rank-th free place
        row, column = at // columns, at % columns
        places.append(torch.cat((row, column), 1))
        far_row, far_column = ((torch.arange(n) - at).abs() > side for n, at in ((rows, row), (columns, column)))
        free &= far_row[:, :, None] | far_column[:, None]
    return torch.stack(places, 1)


def _check(whole: dict[str, Any], shape: list[int], task: str, noise: Any) -> None:
    check_whole(whole, grid=2, side=4, distractors=0, seed=0)
    side, distractors, grid = whole["side"], whole["distractors"], whole["grid"]
    if len(shape) != 3 or shape[0] != 1:
        raise wrong("shape", shape, "should be one channel and two dimensions, [1, H, W]")
    if side % 2 or side > min(shape[1:]):
        raise wrong("side", side, f"should be even and no larger than the image, {min(shape[1:])}")
    if not (isinstance(noise, int | float) and 0 <= noise < math.inf):
        raise wrong("noise", noise, "should be a number of grey levels, 0 or more")
    if task not in ("presence", "location"):
        raise wrong("task", task, "should be presence or location")
    places = [n - side + 1 for n in shape[1:]]
    most = (math.prod(places) - 1) // math.prod(min(2 * side + 1, n) for n in places)  # a patch takes so many from others
    if distractors > most:
        raise wrong("distractors", distractors, f"at most {most} of side {side} are sure to fit beside the pattern")
    if task == "location" and grid * side >= 2 * min(shape[1:]):
        raise wrong(
            "grid", grid, f"at most {(2 * min(shape[1:]) - 1) // side}, or the centre never lies in a cell at the border"
        )
