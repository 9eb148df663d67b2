"""The arithmetic of windows: output sizes and padding, for any number of dimensions and without torch.

Symbols as in design.md, section 1: input size i, kernel size k, stride s, padding p, dilation d.
"""

from collections.abc import Sequence

Size = tuple[int, ...]


def _at_least(least: int, **settings: Sequence[int]) -> None:
    for name, values in settings.items():
        if wrong := [v for v in values if v < least]:
            raise ValueError(f"{name}={wrong[0]}: should be {least} or more")


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
        ValueError: if a window does not fit into the padded input, or a setting is too small to mean anything.
    """
    _at_least(1, kernel_size=kernel_size, stride=stride, dilation=dilation)
    _at_least(0, padding=padding)
    sizes: list[int] = []
    for i, k, s, p, d in zip(input_size, kernel_size, stride, padding, dilation, strict=True):
        if extent(k, d) > i + 2 * p:
            holes = f" (dilation {d}: {extent(k, d)} pixels wide)" if d > 1 else ""
            raise ValueError(f"kernel_size={k}{holes} is larger than the padded input, {i} + 2*{p} = {i + 2 * p} pixels")
        sizes.append((i + 2 * p - extent(k, d)) // s + 1)
    return tuple(sizes)


def transposed_output_size(
    input_size: Sequence[int],
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    output_padding: Sequence[int],
) -> Size:
    """Size after the transpose of a windowed layer, per dimension: ``s(i-1) - 2p + d(k-1) + 1 + r``.

    It undoes ``output_size``: with the remainder r = (n + 2p - d(k-1) - 1) mod s, a layer on n pixels is transposed to n.

    Raises:
        ValueError: if nothing is left, the remainder is not less than the stride, or a setting is too small to mean anything.
    """
    _at_least(1, input_size=input_size, kernel_size=kernel_size, stride=stride, dilation=dilation)
    _at_least(0, padding=padding)
    sizes: list[int] = []
    for i, k, s, p, d, r in zip(input_size, kernel_size, stride, padding, dilation, output_padding, strict=True):
        if not 0 <= r < s:
            raise ValueError(f"output_padding={r}: should be 0 or more, and less than stride={s}")
        if (size := s * (i - 1) - 2 * p + extent(k, d) + r) < 1:
            raise ValueError(f"padding={p} leaves nothing of {s * (i - 1) + extent(k, d) + r} pixels")
        sizes.append(size)
    return tuple(sizes)


def receptive_field(kernel_size: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> tuple[int, int]:
    """Of a stack of windowed layers along one dimension, first layer first: pixels that a unit sees, and its stride in pixels.

    ``r = 1 + sum_n d_n (k_n - 1) prod_{m<n} s_m`` and ``prod_n s_n`` (Araujo, Norris & Sim 2019, for layers with holes).

    Raises:
        ValueError: for a setting that is less than 1.
    """
    _at_least(1, kernel_size=kernel_size, stride=stride, dilation=dilation)
    field, jump = 1, 1
    for k, s, d in zip(kernel_size, stride, dilation, strict=True):
        field += (extent(k, d) - 1) * jump
        jump *= s
    return field, jump


def same_padding(kernel_size: Sequence[int], dilation: Sequence[int]) -> Size:
    """Padding that keeps the size at stride 1 and gives ``ceil(i / s)`` at stride s: ``d(k-1) / 2`` on each side.

    Raises:
        ValueError: for an even kernel, which has no centre pixel.
    """
    if even := [k for k in kernel_size if k % 2 == 0]:
        raise ValueError(f"padding=same needs an odd kernel_size, got {even[0]}; use {even[0] - 1} or {even[0] + 1}")
    return tuple(d * (k - 1) // 2 for k, d in zip(kernel_size, dilation, strict=True))


def resolve_padding(padding: int | Sequence[int] | str, kernel_size: Sequence[int], dilation: Sequence[int]) -> Size:
    """Padding in pixels per dimension from pixels (for all or for each), ``same`` or ``valid``.

    Raises:
        ValueError: for any other word, and for ``same`` with an even kernel.
    """
    if padding == "same":
        return same_padding(kernel_size, dilation)
    if padding == "valid":
        return (0,) * len(kernel_size)
    if isinstance(padding, str):
        raise ValueError(f"padding={padding}: should be pixels, same or valid")
    return (padding,) * len(kernel_size) if isinstance(padding, int) else tuple(padding)


def check_border(input_size: Sequence[int], padding: Sequence[int], padding_mode: str) -> None:
    """A border made of the image itself cannot be wider than the image.

    Raises:
        ValueError: for reflect with p >= i, and for circular with p > i.
    """
    if padding_mode in ("reflect", "circular"):
        for i, p in zip(input_size, padding, strict=True):
            limit = i - 1 if padding_mode == "reflect" else i
            if p > limit:
                raise ValueError(f"padding={p} with padding_mode={padding_mode} is at most {limit} for {i} pixels")
