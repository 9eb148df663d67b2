"""Translation-invariant signals with a length of correlation for each class and a chosen kurtosis.

On a ring of n pixels, z is Gaussian with mean 0 and ``E z_i z_j = exp(-d(i, j)^2 / xi^2)``, d the distance around the ring
and xi the length of the class. Every pixel goes through one function, which makes its mean 0 and its variance 1:

- ``erf``: ``x = erf(g z) / Z(g)``, ``Z(g)^2 = 2/pi arcsin(2 g^2 / (1 + 2 g^2))``. The excess kurtosis is negative, from 0 for a
  small gain g to -2 for a large one, where x is 1 or -1.
- ``algebraic``: ``x = F^-1(Phi(z)) / c``, Phi the distribution function of z and ``F(t) = (1 + t / (1 + |t|^q)^(1/q)) / 2``,
  of tails ``|t|^-q``. The excess kurtosis is positive for a small exponent q and tends to -1.2, that of a uniform x, for a
  large one.

Dense networks that tell such classes apart are reported to learn localised receptive fields if the excess kurtosis is negative
enough, and not otherwise.

Source: A. Ingrosso & S. Goldt 2022, Data-driven emergence of convolutional structure in neural networks (PNAS 119, arXiv
2202.00565), for ``erf``; L. Lufkin, A. M. Saxe & E. Grant 2024, Nonlinear dynamics of localization in neural receptive fields
(NeurIPS, arXiv 2501.17284), for the role of the kurtosis and both families.
"""

import math
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from convexp.data.source import Source
from convexp.data.synthetic import CHUNK, check_integers, check_memory, draw_in_chunks, source_error

Marginal = Literal["erf", "algebraic"]
GREY = 128  # Grey level of the value 0.
REACH = 5  # Deviations of z within which no pixel is clipped; a pixel lies outside with a probability of 6e-7.


def nonlinear_gaussian(
    shape: list[int], train: int, test: int, xi: list[float], marginal: Marginal, gain: float, exponent: float, seed: int
) -> Source:
    """Draw signals for training and for testing; the label says which of the lengths ``xi`` a signal has.

    A smaller part is the beginning of a larger one. A pixel is ``128 + levels(...) x``, rounded.

    Args:
        shape: Shape of a signal, [1, n].
        train: Number of signals for training and validation.
        test: Number of test signals.
        xi: Length of the correlation of each class, in pixels: above 0, at most n / 4, all different.
        marginal: Which function each pixel goes through, ``erf`` or ``algebraic``.
        gain: Of ``erf``: the gain g, above 0.
        exponent: Of ``algebraic``: the exponent q, above 4, where the kurtosis is finite.
        seed: Seed of all draws.

    Raises:
        ConfigError: If a setting is out of range, or the signals do not fit into memory.
    """
    _check({"train": train, "test": test, "seed": seed}, shape, xi, marginal, {"gain": gain, "exponent": exponent})
    check_memory(train, shape, "train")
    check_memory(test, shape, "test")
    amplitudes = torch.stack([spectrum(shape[1], length).sqrt() for length in xi])  # (classes, n)
    parameter = gain if marginal == "erf" else exponent
    scale = levels(marginal, parameter)

    def draw(drawn: torch.Generator) -> tuple[Tensor, Tensor]:
        labels = torch.randint(len(xi), (CHUNK,), generator=drawn)
        white = torch.randn(CHUNK, shape[1], generator=drawn, dtype=torch.float64)
        z = torch.fft.ifft(torch.fft.fft(white) * amplitudes[labels]).real  # (CHUNK, n)
        x = transform(z, marginal, parameter)
        return grey_levels(x, scale).to(torch.uint8)[:, None], labels

    images, labels = draw_in_chunks(train, draw, "nonlinear_gaussian", seed, "train")
    test_images, test_labels = draw_in_chunks(test, draw, "nonlinear_gaussian", seed, "test")
    names = tuple(f"xi = {length:g}" for length in xi)
    return Source(images, labels, test_images, test_labels, class_names=names)


def correlation(n: int, xi: float) -> Tensor:
    """Return ``E z_0 z_d = exp(-d^2 / xi^2)`` for d = 0 ... n - 1 around a ring, ``(n,)`` float64.

    Where the Fourier transform of it is negative, because the ring is short, it is taken as 0, and the variance is kept at 1.
    """
    return torch.fft.ifft(spectrum(n, xi)).real


def spectrum(n: int, xi: float) -> Tensor:
    """Return the Fourier transform of ``correlation(n, xi)``, the variance of each frequency: ``(n,)`` float64, of mean 1."""
    d = torch.arange(n, dtype=torch.float64)
    power = torch.fft.fft((-((torch.minimum(d, n - d) / xi) ** 2)).exp()).real.clamp(min=0)
    return power / power.mean()


def transform(z: Tensor, marginal: Marginal, parameter: float) -> Tensor:
    """Return x for the standard normal ``z``, of any shape: mean 0, variance 1. The parameter is the gain or the exponent."""
    if marginal == "erf":
        return torch.erf(parameter * z) / math.sqrt(_erf_variance(parameter))
    u = torch.erf(z.abs() / math.sqrt(2))  # 2 Phi(|z|) - 1
    beyond = torch.erfc(z.abs() / math.sqrt(2))  # 1 - u, without cancellation
    below = -torch.expm1(parameter * torch.log1p(-beyond))  # 1 - u^q
    return z.sign() * u * below ** (-1 / parameter) / math.sqrt(_algebraic_variance(parameter))


def excess_kurtosis(marginal: Marginal, parameter: float) -> float:
    """Return ``E p^4 / (E p^2)^2 - 3`` of the level p of a pixel above grey, as drawn: rounded and clipped.

    The few pixels that are clipped matter: for an algebraic marginal of exponent 5 it is 1.02, and of ``x`` itself 1.29.
    """
    z = torch.linspace(-12, 12, 240_001, dtype=torch.float64)
    density = (-z.square() / 2).exp()
    pixels = grey_levels(transform(z, marginal, parameter), levels(marginal, parameter)) - GREY
    second, fourth = (float((pixels**power * density).sum() / density.sum()) for power in (2, 4))
    return fourth / second**2 - 3


def grey_levels(x: Tensor, scale: float) -> Tensor:
    """Return the pixels of values x, at ``scale`` levels per unit: whole numbers from 0 to 255, of the type of x."""
    return (x * scale + GREY).round().clamp(0, 255)


def levels(marginal: Marginal, parameter: float) -> float:
    """Return the number of grey levels per unit of x, such that x is not clipped where z is within 5 standard deviations."""
    return 127 / float(transform(torch.tensor(float(REACH), dtype=torch.float64), marginal, parameter))


def _erf_variance(gain: float) -> float:
    """``E erf(g z)^2 = 2/pi arcsin(2 g^2 / (1 + 2 g^2))``."""
    return 2 / math.pi * math.asin(2 * gain**2 / (1 + 2 * gain**2))


def _algebraic_variance(q: float) -> float:
    """``E t^2`` for t of the distribution F: ``B(3 / q, 1 - 2 / q) / q``, with B Euler's beta function."""
    a, b = 3 / q, 1 - 2 / q
    return math.exp(math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)) / q


def _check(integers: dict[str, Any], shape: list[int], xi: Any, marginal: str, parameters: dict[str, Any]) -> None:
    check_integers(integers, seed=0)
    if len(shape) != 2 or shape[0] != 1:
        raise source_error("shape", shape, "should be one channel and one dimension, [1, n]")
    numbers = all(isinstance(length, int | float) and 0 < length <= shape[1] / 4 for length in xi)
    if not numbers or len(xi) < 2 or len(set(xi)) < len(xi):
        raise source_error("xi", xi, f"should be different lengths, one for each class, above 0 and at most {shape[1] / 4:g}")
    if marginal not in get_args(Marginal):
        raise source_error("marginal", marginal, "should be erf or algebraic")
    for (name, value), (least, most) in zip(parameters.items(), ((1e-3, 1e6), (4.001, 1e3)), strict=True):
        if not (isinstance(value, int | float) and least <= value <= most):
            raise source_error(name, value, f"should be a number from {least:g} to {most:g}")
