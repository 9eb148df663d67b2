"""FLOPs of convolutions by the Fourier transform, in closed form and without torch."""

import math
from collections.abc import Sequence

# A FLOP through the Fourier transform takes as long as five of a large matrix product (scripts/bench_layers.py --global-conv).
FOURIER_COST = 5


def transform_flops(size: Sequence[int]) -> int:
    """Return the FLOPs of one transform of a real image with N pixels, ``2.5 N log2 N``; a complex one takes twice as many.

    This is the convention of the literature (Frigo & Johnson 2005, FFTW), whatever the library computes.
    """
    n = math.prod(size)
    return round(2.5 * n * math.log2(n)) if n > 1 else 0


def fourier_flops(in_channels: int, out_channels: int, size: Sequence[int]) -> int:
    """Return the FLOPs of a global convolution of one image by transforms of ``size``, without the transform of the kernel.

    There is one transform for each input and output channel, and at each of the ``M (N/2 + 1)`` frequencies (``N/2 + 1`` of
    signals) there are C*O complex multiply-adds of 8 FLOPs.
    """
    frequencies = math.prod(size[:-1]) * (size[-1] // 2 + 1)
    return (in_channels + out_channels) * transform_flops(size) + 8 * frequencies * in_channels * out_channels


def cheaper_by_fourier(in_channels: int, out_channels: int, size: Sequence[int], product: int) -> bool:
    """Return whether a global convolution is faster by transforms of ``size`` than as a matrix product of ``product`` FLOPs."""
    return FOURIER_COST * fourier_flops(in_channels, out_channels, size) < product
