"""Where is Waldo: a small striped pattern among patches of the same brightness, at a known position."""

import math
from typing import Any

import torch
from torch import Tensor

from convexp.data.source import Source
from convexp.data.synthetic import CHUNK, check_integers, check_memory, draw_in_chunks, source_error

GREY, CONTRAST = 128, 64  # Grey level of the background, and by how much bright and dark pixels differ from it.


def patterns(side: int) -> Tensor:
    """Return the pattern and then the six distractors, ``(7, side, side)``, with +1 for bright and -1 for dark pixels.

    The pattern has horizontal stripes. The distractors are vertical stripes, a checkerboard, both diagonals
    (``(i +- j) mod side < side / 2``), the upper half and the left half. For an even ``side``, half of the pixels of each are
    bright, so that all have the same histogram.
    """
    i, j = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    half = side // 2
    distractors = (j % 2 == 0, (i + j) % 2 == 0, (i + j) % side < half, (i - j) % side < half, i < half, j < half)
    return torch.stack((i % 2 == 0, *distractors)) * 2.0 - 1


def waldo(
    shape: list[int], train: int, test: int, task: str, grid: int, side: int, distractors: int, noise: float, seed: int
) -> Source:
    """Draw images with and without the pattern, for training and for testing. The settings are those of ``waldo_images``.

    The source knows the bounding box of the pattern in each image.
    """
    images, labels, at = waldo_images("train", train, shape, task, grid, side, distractors, noise, seed)
    test_images, test_labels, test_at = waldo_images("test", test, shape, task, grid, side, distractors, noise, seed)
    boxes, test_boxes = (torch.stack((first, torch.where(first < 0, -1, first + side)), 1) for first in (at, test_at))
    return Source(images, labels, test_images, test_labels, test_objects=test_boxes, train_objects=boxes)  # (N, 2, 2)


def waldo_images(
    part: str, n: int, shape: list[int], task: str, grid: int, side: int, distractors: int, noise: float, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw images in which square patches of ``patterns(side)`` lie on grey: grey level 128, bright 192, dark 64.

    Patches neither overlap nor touch, so that parts of two of them never form another pattern. The position of the pattern is
    drawn first, uniformly from all ``(H-side+1)(W-side+1)`` positions, and then that of each distractor, uniformly from the
    positions that are left. (Rejecting images in which patches collide would make the pattern rarer in the middle. Drawing one
    after the other limits ``distractors`` to the number that fits in every order.) An image without the pattern has one more
    distractor instead, so that neither brightness, histogram nor positions tell the classes apart. A smaller ``n`` gives the
    beginning of a larger one.

    Args:
        part: ``train`` or ``test``. Each has its own draws.
        n: Number of images.
        shape: Shape of an image, [1, H, W].
        task: With ``presence`` the label is 1 for images with the pattern and 0 for those without, which alternate. With
            ``location`` all images have the pattern, and the label is the cell of its centre in a ``grid`` x ``grid`` division
            of the image, counted row by row.
        grid: Number of cells in each direction.
        side: Side of the patches in pixels, an even number.
        distractors: Number of patches beside the pattern.
        noise: Standard deviation of Gaussian noise on every pixel, in grey levels, before rounding and clipping to 0..255.
        seed: Seed of all draws.

    Returns:
        Images, ``(n, 1, H, W)`` uint8; labels, ``(n,)`` int64; and row and column of the pattern's first pixel, ``(n, 2)``
        int64, or -1, -1 without the pattern.

    Raises:
        ConfigError: If a setting is out of range, the patches may not fit, or the images do not fit into memory.
    """
    _check({part: n, "grid": grid, "side": side, "distractors": distractors, "seed": seed}, shape, task, noise)
    check_memory(n, shape, part)
    size = (shape[1], shape[2])
    kinds = patterns(side)
    within = torch.arange(side)
    image = torch.arange(CHUNK)
    present = image % 2 == 1 if task == "presence" else image >= 0

    def draw(drawn: torch.Generator) -> tuple[Tensor, Tensor]:
        places = _places(size, side, 1 + distractors, drawn)  # (CHUNK, 1 + distractors, 2)
        kind = torch.randint(1, len(kinds), places.shape[:2], generator=drawn)
        kind[present, 0] = 0
        row, column = places[:, :, :, None, None].unbind(2)  # (CHUNK, 1 + distractors, 1, 1)
        pixels = torch.randn(CHUNK, *size, generator=drawn) * noise + GREY
        pixels[image[:, None, None, None], row + within[:, None], column + within] += CONTRAST * kinds[kind]
        position = places[:, 0].where(present[:, None], -1)
        return pixels.round_().clamp_(0, 255).to(torch.uint8)[:, None], position

    images, positions = draw_in_chunks(n, draw, "waldo", seed, part)
    if task == "presence":
        return images, (positions[:, 0] >= 0).long(), positions
    cell = (2 * positions + side) * grid // (2 * torch.tensor(size))  # the cell of the centre, position + side / 2
    return images, cell[:, 0] * grid + cell[:, 1], positions


def _places(size: tuple[int, int], side: int, patches: int, drawn: torch.Generator) -> Tensor:
    """Draw first pixels of squares that do not touch, ``(CHUNK, patches, 2)``, each uniformly from the positions left."""
    rows, columns = (n - side + 1 for n in size)
    free = torch.ones(CHUNK, rows, columns, dtype=torch.bool)
    places: list[Tensor] = []
    for _ in range(patches):
        count = free.flatten(1).cumsum(1, dtype=torch.int32)  # (CHUNK, rows*columns)
        rank = (torch.rand(CHUNK, 1, generator=drawn, dtype=torch.float64) * count[:, -1:]).int() + 1
        at = torch.searchsorted(count, rank)  # (CHUNK, 1), the rank-th free position
        row, column = at // columns, at % columns
        places.append(torch.cat((row, column), 1))
        far_row, far_column = ((torch.arange(n) - at).abs() > side for n, at in ((rows, row), (columns, column)))
        free &= far_row[:, :, None] | far_column[:, None]
    return torch.stack(places, 1)


def _check(integers: dict[str, Any], shape: list[int], task: str, noise: Any) -> None:
    check_integers(integers, grid=2, side=4, distractors=0, seed=0)
    side, distractors, grid = integers["side"], integers["distractors"], integers["grid"]
    if len(shape) != 3 or shape[0] != 1:
        raise source_error("shape", shape, "should be one channel and two dimensions, [1, H, W]")
    if side % 2 or side > min(shape[1:]):
        raise source_error("side", side, f"should be even and no larger than the image, {min(shape[1:])}")
    if not (isinstance(noise, int | float) and 0 <= noise < math.inf):
        raise source_error("noise", noise, "should be a number of grey levels, 0 or more")
    if task not in ("presence", "location"):
        raise source_error("task", task, "should be presence or location")
    places = [n - side + 1 for n in shape[1:]]
    taken = math.prod(min(2 * side + 1, n) for n in places)  # positions that a patch takes from others, at most
    most = (math.prod(places) - 1) // taken
    if distractors > most:
        raise source_error(
            "distractors", distractors, f"should be at most {most}; more patches of side {side} may not fit beside the pattern"
        )
    if task == "location" and grid * side >= 2 * min(shape[1:]):
        largest = (2 * min(shape[1:]) - 1) // side
        raise source_error("grid", grid, f"should be at most {largest}, or the centre never lies in a cell at the border")
