"""The layers and their arithmetic; torch only, usable alone.

All layers map ``(B, C, H, W)`` to ``(B, O, H', W')`` and take the same arguments, so that one can stand for another:
``layer(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, groups, bias, padding_mode, device,
dtype)`` (``groups`` only where there are windows).
"""

from convexp.geometry import extent, output_size, receptive_field, same_padding, transposed_output_size
from convexp.layers.conv import Conv1d, Conv2d, Conv3d
from convexp.layers.dense import Dense1d, Dense2d, Dense3d
from convexp.layers.functional import locally_connected
from convexp.layers.global_conv import GlobalConv2d
from convexp.layers.lazy import LazyLocallyConnected1d, LazyLocallyConnected2d, LazyLocallyConnected3d
from convexp.layers.local import LocallyConnected1d, LocallyConnected2d, LocallyConnected3d

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "Dense1d",
    "Dense2d",
    "Dense3d",
    "GlobalConv2d",
    "LazyLocallyConnected1d",
    "LazyLocallyConnected2d",
    "LazyLocallyConnected3d",
    "LocallyConnected1d",
    "LocallyConnected2d",
    "LocallyConnected3d",
    "extent",
    "locally_connected",
    "output_size",
    "receptive_field",
    "same_padding",
    "transposed_output_size",
]
