"""What layers need beside windows that fit: groups that divide, a border that has a kernel, units that have a centre."""

from collections.abc import Sequence

from convexp.geometry.windows import Size, extent, output_size


def check_groups(groups: int, in_channels: int, out_channels: int) -> None:
    """Check that ``groups`` divide the channels of a layer.

    Raises:
        ValueError: If they do not.
    """
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"groups={groups}: should divide in_channels={in_channels} and out_channels={out_channels}")


def check_global_border(padding_mode: str) -> None:
    """Check that a global convolution has a kernel of a fixed size at this border.

    Raises:
        ValueError: If ``padding_mode`` is neither zeros nor circular.
    """
    if padding_mode not in ("zeros", "circular"):
        raise ValueError(f"padding_mode={padding_mode}: a global convolution has zeros or circular")


def first_centres(
    input_size: Sequence[int],
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    padding_mode: str,
) -> Size:
    """Return the centre of the first unit of a global convolution per dimension, ``floor(d(k-1) / 2) - p``, in pixels.

    Raises:
        ValueError: If a unit's centre lies outside of an image with zeros around it.
    """
    units = output_size(input_size, kernel_size, stride, padding, dilation)
    found: list[int] = []
    for i, k, s, p, d, count in zip(input_size, kernel_size, stride, padding, dilation, units, strict=True):
        reach = (extent(k, d) - 1) // 2
        first, last = reach - p, reach - p + s * (count - 1)
        if padding_mode == "zeros" and (first < 0 or last >= i):
            raise ValueError(f"padding={p}: is at most {reach} here, as every unit's centre must be a pixel")
        found.append(first)
    return tuple(found)
