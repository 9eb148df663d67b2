"""Windows, placements and the skeleton of a network as plain data, free of torch, so that checks are quick."""

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
