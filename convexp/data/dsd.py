"""The dynamic signal distribution: a task for which the numbers of samples that dense, local and conv need are known.

An image has k patches of d pixels. With a label y = +1 or -1 and a patch t, both drawn uniformly,

    x_t = y w + sigma z_t,      x_s = sigma z_s for the other patches s,      z iid standard normal,

where w is an unknown unit vector. Up to logarithms and a factor of sigma^2, O(k + d) samples suffice for a convolutional
network, a locally connected one needs Omega(kd) and O(k(k + d)) suffice, and a dense one needs Omega(k^2 d), where sigma is at
most of the order of 1 / sqrt(k).

Source: A. Lahoti, S. Karp, E. Winston, A. Singh & Y. Li 2024, Role of Locality and Weight Sharing in Image-Based Tasks (ICLR,
arXiv 2403.15707).
"""

import math
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor

from convexp.data.rng import generator
from convexp.data.source import Source
from convexp.data.synthetic import CHUNK, check_integers, check_memory, draw_in_chunks, source_error

GREY = 128  # Grey level of the value 0.
SMALLEST_SIGMA = 0.05  # With less noise, rounding to grey levels would matter.


def signal(d: int, seed: int) -> Tensor:
    """Draw the unit vector w, ``(d,)`` float64, uniformly over all directions."""
    w = torch.randn(d, generator=generator("dsd", seed, "signal"), dtype=torch.float64)
    return w / w.norm()


def levels(w: Tensor, sigma: float) -> float:
    """Return the number of grey levels per unit of the signal, ``127 / (max_i |w_i| + 5 sigma)``.

    A pixel is ``128 + levels * value``, rounded. It is clipped with a probability below ``2 Phi(-5) = 6e-7``. For sigma >= 0.05
    the noise has a standard deviation of at least 5 grey levels, so that rounding, with a variance of 1/12, adds less than
    0.4 % to its variance. With the settings of ``data=dsd`` it is 16 grey levels and 0.03 %.
    """
    return 127 / (float(w.abs().max()) + 5 * sigma)


def patches(images: Tensor, patch: int, w: Tensor, sigma: float) -> Tensor:
    """Recover the values x_1 ... x_k, row by row, from images ``(N, 1, *size)`` uint8: ``(N, k, d)`` float64, in units of w."""
    return (_tiles(images, patch).flatten(1, images.dim() - 2).flatten(2).double() - GREY) / levels(w, sigma)


def log_likelihood_ratio(x: Tensor, w: Tensor, sigma: float) -> Tensor:
    """Compute ``log p(x | y = +1) / p(x | y = -1)`` of patches ``(N, k, d)``, whose sign is the Bayes decision: ``(N,)``.

    It is ``log sum_t exp(<w, x_t> / sigma^2) - log sum_t exp(-<w, x_t> / sigma^2)``. The probability that y is +1 is
    ``1 / (1 + exp(-ratio))``.
    """
    match = x @ w / sigma**2  # (N, k)
    return match.logsumexp(1) - (-match).logsumexp(1)


def samples_of_averaging(k: int, d: int, sigma: float, accuracy: float) -> float:
    """Compute how many samples the simplest linear classifier needs, whose weights are the mean of ``y x`` over n samples.

    With ``t = k sigma^2`` and z the quantile of the accuracy, ``Phi(z)``, it needs

        n = k (d t^2 + 2 t + 1) / (1 / z^2 - t)

    where n is much larger than k: its output is taken for normal, with mean ``1 / k`` and, to first order in 1/n, variance
    ``t / k^2 + (d t^2 + 2 t + 1) / (k n)``. The best linear classifier has weights w in every patch and reaches
    ``Phi(1 / sqrt(t))``; that or more takes infinitely many samples. If sigma falls as ``1 / sqrt(k)``, t stays and n grows as
    k, which is how ``sigma^2 k^2 d`` grows. If sigma stays, t grows as k, and n as ``k^3`` where ``d t^2`` outweighs the other
    terms and t is far from ``1 / z^2``.

    Args:
        k: Number of patches.
        d: Number of pixels of a patch.
        sigma: Standard deviation of the noise.
        accuracy: Share of right answers that is wanted, above 0.5 and below 1.

    Raises:
        ValueError: If the accuracy is out of range.
    """
    if not 0.5 < accuracy < 1:
        raise ValueError(f"accuracy={accuracy}: should be above 0.5, which is chance, and below 1")
    t = k * sigma**2
    room = 1 / NormalDist().inv_cdf(accuracy) ** 2 - t
    return k * (d * t**2 + 2 * t + 1) / room if room > 0 else math.inf


def dsd(shape: list[int], patch: int, train: int, test: int, sigma: float, seed: int) -> Source:
    """Draw images from the distribution, with label 1 for y = +1 and label 0 for y = -1.

    An image [1, H, W] has ``k = (H / patch)(W / patch)`` patches of ``d = patch^2`` pixels, and a signal [1, L] has
    ``k = L / patch`` patches of ``d = patch``. Both parts have the same signal ``signal(d, seed)``. A smaller part is the
    beginning of a larger one.

    Args:
        shape: Shape of an image, [1, H, W] or [1, L].
        patch: Side of a patch, in pixels. It divides the size of the image.
        train: Number of images for training and validation.
        test: Number of test images.
        sigma: Standard deviation of the noise, at least 0.05. The signal is a unit vector.
        seed: Seed of the signal and of all draws.

    Raises:
        ConfigError: If the patches do not tile the image, another setting is out of range, or the images do not fit into
            memory.
    """
    _check({"patch": patch, "train": train, "test": test, "seed": seed}, shape, sigma)
    check_memory(train, shape, "train")
    check_memory(test, shape, "test")
    parts = [_part(part, n, shape[1:], patch, sigma, seed) for part, n in (("train", train), ("test", test))]
    return Source(*parts[0], *parts[1])


def _part(part: str, n: int, size: list[int], patch: int, sigma: float, seed: int) -> tuple[Tensor, Tensor]:
    w = signal(patch ** len(size), seed)
    grid = [m // patch for m in size]

    def draw(drawn: torch.Generator) -> tuple[Tensor, Tensor]:
        label = torch.randint(2, (CHUNK,), generator=drawn)
        t = torch.randint(math.prod(grid), (CHUNK,), generator=drawn)
        x = torch.randn(CHUNK, 1, *size, generator=drawn) * sigma
        at: Any = (torch.arange(CHUNK), *torch.unravel_index(t, grid))
        _tiles(x, patch)[at] += ((2 * label - 1)[:, None] * w).reshape(-1, *[patch] * len(size)).float()
        return (x * levels(w, sigma) + GREY).round_().clamp_(0, 255).to(torch.uint8), label

    images, labels = draw_in_chunks(n, draw, "dsd", seed, part)
    return images, labels


def _tiles(images: Tensor, patch: int) -> Tensor:
    """Return a view of images ``(N, 1, *size)`` by patches, ``(N, *size / patch, patch, ...)``."""
    tiles = images[:, 0]
    for dim in range(1, tiles.dim()):
        tiles = tiles.unfold(dim, patch, patch)
    return tiles


def _check(integers: dict[str, Any], shape: list[int], sigma: Any) -> None:
    check_integers(integers, seed=0)
    if len(shape) not in (2, 3) or shape[0] != 1:
        raise source_error("shape", shape, "should be one channel and one or two dimensions, [1, L] or [1, H, W]")
    patch = integers["patch"]
    if any(n % patch for n in shape[1:]):
        raise source_error("patch", patch, f"should divide the size of the images, {' and '.join(map(str, shape[1:]))}")
    if not (isinstance(sigma, int | float) and SMALLEST_SIGMA <= sigma < math.inf):
        raise source_error("sigma", sigma, f"should be a number, {SMALLEST_SIGMA} or more")
