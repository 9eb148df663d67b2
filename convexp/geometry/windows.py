"""Output sizes, padding and receptive fields of windowed layers, for any number of dimensions and without torch.

Formulas use the input size i, kernel size k, stride s, padding p and dilation d of one dimension, all in pixels.
"""

from collections.abc import Sequence

Size = tuple[int, ...]


def check_minimum(minimum: int, **settings: Sequence[int]) -> None:
    """Check that numbers are ``minimum`` or more.

    Raises:
        ValueError: If one is not, naming its setting.
    """
    for name, values in settings.items():
        if wrong := [v for v in values if v < minimum]:
            raise ValueError(f"{name}={wrong[0]}: should be {minimum} or more")


def extent(kernel_size: int, dilation: int = 1) -> int:
    """Return the extent of a dilated kernel in pixels, from its first tap to its last: ``d(k-1) + 1``."""
    return dilation * (kernel_size - 1) + 1


def output_size(
    input_size: Sequence[int],
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Size:
    """Return the output size of a windowed layer per dimension, ``floor((i + 2p - d(k-1) - 1) / s) + 1``.

    Raises:
        ValueError: If the kernel is larger than the padded input, a padding is negative or another setting is below 1.
    """
    check_minimum(1, kernel_size=kernel_size, stride=stride, dilation=dilation)
    check_minimum(0, padding=padding)
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
    """Return the output size of a transposed windowed layer per dimension, ``s(i-1) - 2p + d(k-1) + 1 + r``.

    The output padding r resolves the ambiguity of the floor in ``output_size``: with ``r = (n + 2p - d(k-1) - 1) mod s``, the
    transpose of a layer whose input has n pixels returns to n pixels.

    Raises:
        ValueError: If no pixel is left, an output padding is negative or not less than the stride, a padding is negative, or
            another setting is below 1.
    """
    check_minimum(1, input_size=input_size, kernel_size=kernel_size, stride=stride, dilation=dilation)
    check_minimum(0, padding=padding)
    sizes: list[int] = []
    for i, k, s, p, d, r in zip(input_size, kernel_size, stride, padding, dilation, output_padding, strict=True):
        if not 0 <= r < s:
            raise ValueError(f"output_padding={r}: should be 0 or more, and less than stride={s}")
        if (size := s * (i - 1) - 2 * p + extent(k, d) + r) < 1:
            raise ValueError(f"padding={p} leaves nothing of {s * (i - 1) + extent(k, d) + r} pixels")
        sizes.append(size)
    return tuple(sizes)


def receptive_field(kernel_size: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> tuple[int, int]:
    """Return the receptive field and the total stride of a stack of windowed layers along one dimension, in pixels.

    The receptive field is ``1 + sum_n d_n (k_n - 1) prod_{m<n} s_m`` and the total stride ``prod_n s_n`` (Araujo, Norris & Sim
    2019, Computing receptive fields of convolutional neural networks, here with dilation).

    Args:
        kernel_size: Kernel size of each layer, first layer first.
        stride: Stride of each layer.
        dilation: Dilation of each layer.

    Raises:
        ValueError: If a setting is below 1.
    """
    check_minimum(1, kernel_size=kernel_size, stride=stride, dilation=dilation)
    field, jump = 1, 1
    for k, s, d in zip(kernel_size, stride, dilation, strict=True):
        field += (extent(k, d) - 1) * jump
        jump *= s
    return field, jump


def same_padding(kernel_size: Sequence[int], dilation: Sequence[int]) -> Size:
    """Return the padding ``d(k-1) / 2`` per dimension, for which the output size is ``ceil(i / s)``.

    Raises:
        ValueError: If a kernel size is even, since such a kernel has no centre pixel.
    """
    if even := [k for k in kernel_size if k % 2 == 0]:
        raise ValueError(f"padding=same needs an odd kernel_size, got {even[0]}; use {even[0] - 1} or {even[0] + 1}")
    return tuple(d * (k - 1) // 2 for k, d in zip(kernel_size, dilation, strict=True))


def resolve_padding(padding: int | Sequence[int] | str, kernel_size: Sequence[int], dilation: Sequence[int]) -> Size:
    """Return the padding in pixels per dimension.

    Args:
        padding: Pixels for all dimensions, pixels for each of them, ``same`` or ``valid``.
        kernel_size: Kernel size per dimension.
        dilation: Dilation per dimension.

    Raises:
        ValueError: If the padding is any other word, or ``same`` with an even kernel size.
    """
    if padding == "same":
        return same_padding(kernel_size, dilation)
    if padding == "valid":
        return (0,) * len(kernel_size)
    if isinstance(padding, str):
        raise ValueError(f"padding={padding}: should be pixels, same or valid")
    return (padding,) * len(kernel_size) if isinstance(padding, int) else tuple(padding)


def check_border(input_size: Sequence[int], padding: Sequence[int], padding_mode: str) -> None:
    """Check that a border filled from the image itself is no wider than the image allows.

    Raises:
        ValueError: If ``p >= i`` with ``padding_mode=reflect``, or ``p > i`` with ``padding_mode=circular``.
    """
    if padding_mode in ("reflect", "circular"):
        for i, p in zip(input_size, padding, strict=True):
            limit = i - 1 if padding_mode == "reflect" else i
            if p > limit:
                raise ValueError(f"padding={p} with padding_mode={padding_mode} is at most {limit} for {i} pixels")
