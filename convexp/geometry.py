"""The arithmetic of windows: output sizes and padding, for any number of dimensions and without torch.

Symbols as in design.md, section 1: input size i, kernel size k, stride s, padding p, dilation d.
"""

from collections.abc import Sequence

Size = tuple[int, ...]


def extent(kernel_size: int, dilation: int = 1) -> int:
    """Pixels from the first to the last tap of a kernel with holes: ``d(k-1) + 1``."""
    return dilation * (kernel_size - 1) + 1


def output_size(
    input_size: Sequence[int],
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Size:
    """Size after a windowed layer, per dimension: ``floor((i + 2p - d(k-1) - 1) / s) + 1``.

    Raises:
        ValueError: if a window does not fit into the padded input.
    """
    sizes: list[int] = []
    for i, k, s, p, d in zip(input_size, kernel_size, stride, padding, dilation, strict=True):
        if extent(k, d) > i + 2 * p:
            holes = f" (dilation {d}: {extent(k, d)} pixels wide)" if d > 1 else ""
            raise ValueError(f"kernel_size={k}{holes} is larger than the padded input, {i} + 2*{p} = {i + 2 * p} pixels")
        sizes.append((i + 2 * p - extent(k, d)) // s + 1)
    return tuple(sizes)


def same_padding(kernel_size: Sequence[int], dilation: Sequence[int]) -> Size:
    """Padding that keeps the size at stride 1 and gives ``ceil(i / s)`` at stride s: ``d(k-1) / 2`` on each side.

    Raises:
        ValueError: for an even kernel, which has no centre pixel.
    """
    if even := [k for k in kernel_size if k % 2 == 0]:
        raise ValueError(f"padding=same needs an odd kernel_size, got {even[0]}; use {even[0] - 1} or {even[0] + 1}")
    return tuple(d * (k - 1) // 2 for k, d in zip(kernel_size, dilation, strict=True))
