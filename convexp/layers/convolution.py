"""What a convolution is: the identities behind the layers, as functions of plain tensors (each has its law in tests/layers).

Spatial dimensions come last, any number of them; here a kernel has no channels unless its docstring says so.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from convexp.geometry import extent


def flip(kernel: Tensor, dims: int) -> Tensor:
    """The kernel turned by 180 degrees in its last ``dims`` dimensions: what makes a correlation a convolution and back."""
    return kernel.flip(list(range(-dims, 0)))


def correlate(x: Tensor, kernel: Tensor) -> Tensor:
    """Cross-correlation where the kernel fits: ``y[i,j] = sum_{a,b} kernel[a,b] x[i+a, j+b]``, (H, W) -> (H-k1+1, W-k2+1).

    Raises:
        ValueError: if the kernel has another number of dimensions, or is larger.
    """
    if x.dim() != kernel.dim() or not kernel.numel() or any(k > n for k, n in zip(kernel.shape, x.shape, strict=True)):
        raise ValueError(f"kernel of shape {tuple(kernel.shape)}: should fit into {tuple(x.shape)}")
    windows = x
    for dim, k in enumerate(kernel.shape):
        windows = windows.unfold(dim, k, 1)  # (H', W', k1, k2)
    return torch.tensordot(windows, kernel, kernel.dim())


def convolve(x: Tensor, kernel: Tensor) -> Tensor:
    """True convolution in full: ``y[i,j] = sum_{a,b} kernel[a,b] x[i-a, j-b]``, x zero outside, (H, W) -> (H+k1-1, W+k2-1).

    It commutes and is associative; it is the correlation with the flipped kernel on a border of k-1 zeros. The gradient in x of
    a correlation with a kernel is the convolution of the gradient above with that kernel.
    """
    if x.dim() != kernel.dim() or not kernel.numel():
        raise ValueError(f"kernel of shape {tuple(kernel.shape)}: should have the {x.dim()} dimensions of the signal and a tap")
    border = [k - 1 for k in reversed(kernel.shape) for _ in range(2)]
    return correlate(torch.nn.functional.pad(x, border), flip(kernel, kernel.dim()))


def with_holes(kernel: Tensor, dilation: Sequence[int]) -> Tensor:
    """A dilated kernel written out: d-1 zeros between taps in the last ``len(dilation)`` dimensions, (k) -> (d(k-1) + 1)."""
    spatial = kernel.shape[-len(dilation) :]
    size = [extent(k, d) for k, d in zip(spatial, dilation, strict=True)]
    made = kernel.new_zeros(*kernel.shape[: -len(dilation)], *size)
    made[(..., *(slice(None, None, d) for d in dilation))] = kernel
    return made


def im2col(x: Tensor, kernel_size: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Tensor:
    """Every window of a padded input as a column: (B, C, H, W) -> (B, C*k1*k2, H'*W'), rows in the order (c, a, b).

    The kernel as a matrix (O, C*k1*k2) times these columns is the convolution; a locally connected layer has another matrix for
    each column. It costs k1*k2 times the input's memory: a definition, and a way to compute only where there is no other.
    """
    windows, dims = x, len(kernel_size)
    for dim, (k, s, d) in enumerate(zip(kernel_size, stride, dilation, strict=True), start=2):
        windows = windows.unfold(dim, extent(k, d), s)[..., ::d]  # (B, C, H', W', k1, k2)
    taps = windows.permute(0, 1, *range(2 + dims, 2 + 2 * dims), *range(2, 2 + dims))
    return taps.flatten(2 + dims).flatten(1, 1 + dims)
