"""The arithmetic of windows, placements and skeletons as plain data, so that a configuration can be checked without torch."""

from convexp.geometry.windows import (
    Size,
    check_border,
    extent,
    output_size,
    receptive_field,
    resolve_padding,
    same_padding,
    transposed_output_size,
)

__all__ = [
    "Size",
    "check_border",
    "extent",
    "output_size",
    "receptive_field",
    "resolve_padding",
    "same_padding",
    "transposed_output_size",
]
