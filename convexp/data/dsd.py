"""The dynamic signal distribution: a task for which the samples that dense, local and conv nets need are known.

A. Lahoti, S. Karp, E. Winston, A. Singh & Y. Li 2024, Role of Locality and Weight Sharing in Image-Based Tasks (ICLR,
arXiv 2403.15707). An image has k patches of d pixels; with a label y = +1 or -1 and a patch t, both uniform,

    x_t = y w + sigma z_t,      x_s = sigma z_s for the other patches s,      z iid standard normal,

w an unknown unit vector. Up to logarithms, O(k + d) samples are enough for a convolution, a locally connected network needs
Omega(kd) and O(k(k + d)) are enough for it, a dense one needs Omega(k^2 d).
"""

import math
from typing import Any

import torch
from torch import Tensor

from convexp.data.rng import generator
from convexp.data.source import Source
from convexp.data.synthetic import CHUNK, check_room, check_whole, chunks, wrong

GREY = 128
LEAST = 0.05  # sigma: below it, rounding to grey levels would begin to count


def signal(d: int, seed: int) -> Tensor:
    """The unit vector w, ``(d,)``, uniform over the directions."""
    w = torch.randn(d, generator=generator("dsd", seed, "signal"), dtype=torch.float64)
    return w / w.norm()


def levels(w: Tensor, sigma: float) -> float:
    """Grey levels per unit of the signal, ``127 / (max_i |w_i| + 5 sigma)``; a pixel is ``128 + levels * value``, rounded.

    A pixel is clipped with a probability below 2 Phi(-5) = 6e-7. The noise is 5 grey levels or more for sigma >= 0.05, so that
    rounding (variance 1/12) adds less than 0.4 % to its variance; 0.03 % where it is 16 levels, as for data=dsd.
    """
    return 127 / (float(w.abs().max()) + 5 * sigma)


def patches(images: Tensor, patch: int, w: Tensor, sigma: float) -> Tensor:
    """The values x_1 ... x_k, row by row, in the units of w: uint8 ``(N, 1, *size) -> (N, k, d)`` float64."""
    return (_tiles(images, patch).flatten(1, images.dim() - 2).flatten(2).double() - GREY) / levels(w, sigma)


def log_likelihood_ratio(x: Tensor, w: Tensor, sigma: float) -> Tensor:
    """What the best decision rests on: patches ``(N, k, d)`` to ``log p(x | y = +1) / p(x | y = -1)``, ``(N,)``.

    ``log sum_t exp(<w, x_t> / sigma^2) - log sum_t exp(-<w, x_t> / sigma^2)``; its sign is the Bayes decision, and y is +1 with
    probability ``1 / (1 + exp(-ratio))``.
    """
    match = x @ w / sigma**2  # (N, k)
    return match.logsumexp(1) - (-match).logsumexp(1)


def dsd(shape: list[int], patch: int, train: int, test: int, sigma: float, seed: int) -> Source:
    """Images of ``shape``, [1, H, W] or [1, L], tiled by patches of ``patch`` pixels in each dimension; label 1 where y = +1.

    So k is ``(H / patch)(W / patch)`` and d ``patch^2``, or ``L / patch`` and ``patch``. Grey levels are those of ``levels``.
    Both parts have the signal ``signal(d, seed)``; smaller ones are the beginnings of larger ones.

    Raises:
        ConfigError: naming the setting, if the patches do not tile the image or another setting is out of range.
    """
    _check({"patch": patch, "train": train, "test": test, "seed": seed}, shape, sigma)
    check_room(train, shape, "train")
    check_room(test, shape, "test")
    parts = [_part(part, n, shape[1:], patch, sigma, seed) for part, n in (("train", train), ("test", test))]
    return Source(*parts[0], *parts[1])


def _part(part: str, n: int, size: list[int], patch: int, sigma: float, seed: int) -> tuple[Tensor, Tensor]:
    w = signal(patch ** len(size), seed)
    grid = [m // patch for m in size]

    def make(drawn: torch.Generator) -> tuple[Tensor, Tensor]:
        label = torch.randint(2, (CHUNK,), generator=drawn)
        t = torch.randint(math.prod(grid), (CHUNK,), generator=drawn)
        x = torch.randn(CHUNK, 1, *size, generator=drawn) * sigma
        at: Any = (torch.arange(CHUNK), *torch.unravel_index(t, grid))
        _tiles(x, patch)[at] += ((2 * label - 1)[:, None] * w).reshape(-1, *[patch] * len(size)).float()
        return (x * levels(w, sigma) + GREY).round_().clamp_(0, 255).to(torch.uint8), label

    images, labels = chunks(n, make, "dsd", seed, part)
    return images, labels


def _tiles(images: Tensor, patch: int) -> Tensor:
    """A view of images ``(N, 1, *size)`` by patches: ``(N, *size / patch, patch, ...)``."""
    tiles = images[:, 0]
    for dim in range(1, tiles.dim()):
        tiles = tiles.unfold(dim, patch, patch)
    return tiles


def _check(whole: dict[str, Any], shape: list[int], sigma: Any) -> None:
    check_whole(whole, seed=0)
    if len(shape) not in (2, 3) or shape[0] != 1:
        raise wrong("shape", shape, "should be one channel and one or two dimensions, [1, L] or [1, H, W]")
    patch = whole["patch"]
    if any(n % patch for n in shape[1:]):
        raise wrong("patch", patch, f"should divide the size of the images, {' and '.join(map(str, shape[1:]))}")
    if not (isinstance(sigma, int | float) and LEAST <= sigma < math.inf):
        raise wrong("sigma", sigma, f"should be a number, {LEAST} or more")
