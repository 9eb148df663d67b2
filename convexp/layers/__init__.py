"""The layers and their arithmetic; torch only, usable alone.

All layers map ``(B, C, H, W)`` to ``(B, O, H', W')`` and take the same arguments, so that one can stand for another:
``layer(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, padding_mode, bias)``.
"""

from convexp.geometry import extent, output_size, same_padding
from convexp.layers.conv import Conv2d
from convexp.layers.dense import Dense2d
from convexp.layers.global_conv import GlobalConv2d
from convexp.layers.local import LocallyConnected2d

__all__ = [
    "Conv2d",
    "Dense2d",
    "GlobalConv2d",
    "LocallyConnected2d",
    "extent",
    "output_size",
    "same_padding",
]
