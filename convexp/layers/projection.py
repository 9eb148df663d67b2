"""Between a layer's dense matrix (O, L, C, P) and its kernels at every location (L, O, C/G, T).

L = H'*W' locations, T = k1*k2 taps, P = H*W pixels, G groups. ``pixels`` (L, T) are the pixels under the taps, -1 on a border
of zeros (``taps.seen_pixels``).
"""

import torch
from torch import Tensor

from convexp.layers.taps import same_pixel


def scatter_kernels(kernels: Tensor, pixels: Tensor, inputs: int, groups: int) -> Tensor:
    """Add up the weights of all taps that meet a pixel: kernels (L, O, C/G, T) -> dense matrix (O, L, C, P = ``inputs``)."""
    kernels = kernels * (pixels >= 0)[:, None, None].to(kernels.dtype)
    locations, outputs, channels, _ = kernels.shape
    parts = kernels.transpose(0, 1).unflatten(0, (groups, -1))  # (G, O/G, L, C/G, T)
    index = pixels.clamp(min=0)[:, None].expand_as(parts)
    matrix = kernels.new_zeros(groups, outputs // groups, locations, groups * channels, inputs)
    for group in range(groups):
        block = matrix[group, :, :, group * channels : (group + 1) * channels]
        block.scatter_add_(3, index[group], parts[group])
    return matrix.flatten(0, 1)


def gather_kernels(matrix: Tensor, pixels: Tensor, groups: int) -> Tensor:
    """Take the weights where the taps are: the dense matrix (O, L, C, P) -> (L, O, C/G, T), zero on a border of zeros."""
    by_group = matrix.unflatten(0, (groups, -1)).unflatten(3, (groups, -1))  # (G, O/G, L, G, C/G, P)
    own = by_group.diagonal(dim1=0, dim2=3).movedim(-1, 0).flatten(0, 1)  # (O, L, C/G, P)
    index = pixels.clamp(min=0)[:, None].expand(*own.shape[:3], pixels.shape[1])
    return (own.gather(3, index) * (pixels >= 0)[:, None].to(own.dtype)).transpose(0, 1)


def nearest_kernels(matrix: Tensor, pixels: Tensor, groups: int) -> Tensor:
    """Return the kernels at every location, (L, O, C/G, T), whose dense matrix is nearest to ``matrix`` (O, L, C, P).

    A pixel that a border shows under several taps of a window gets its weight in equal parts. Taps on a border of zeros are 0.
    """
    shown = same_pixel(pixels).sum(2).clamp(min=1)  # (L, T)
    return gather_kernels(matrix, pixels, groups) / shown[:, None, None].to(matrix.dtype)


def nearest_shared_kernel(summed: Tensor, pixels: Tensor) -> Tensor:
    """Solve ``sum_t' N[t,t'] v[t'] = summed[t]`` for the shared kernel v: (O, C/G, T) -> (O, C/G, T), float64.

    ``summed[t]`` is the sum over the locations of the dense matrix's weight at tap t, and N[t,t'] the number of locations at
    which taps t and t' meet the same pixel. Where no border shows a pixel twice N is diagonal, and v the mean over the
    locations whose tap meets data. Taps that never do are zero.
    """
    return summed @ torch.linalg.pinv(same_pixel(pixels).double().sum(0), hermitian=True)
