"""The layers and their arithmetic; torch only, usable alone.

All layers map ``(B, C, H, W)`` to ``(B, O, H', W')`` and take the same arguments, so that one can stand for another:
``layer(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, groups, bias, padding_mode, device,
dtype)``. Only layers with windows have ``groups``; ``bias`` is True or False, of local and low-rank layers also
``location`` (which True means) or ``channel``.
"""

from convexp.geometry import extent, output_size, receptive_field, same_padding, transposed_output_size
from convexp.layers.conv import Conv1d, Conv2d, Conv3d
from convexp.layers.convert import as_dense, as_local, as_low_rank, from_torch, nearest_conv, nearest_local
from convexp.layers.convolution import convolve, correlate, flip, im2col, with_holes
from convexp.layers.cost import Cost, cost
from convexp.layers.dense import Dense1d, Dense2d, Dense3d
from convexp.layers.functional import locally_connected
from convexp.layers.global_conv import GlobalConv1d, GlobalConv2d, GlobalConv3d
from convexp.layers.lazy import LazyLocallyConnected1d, LazyLocallyConnected2d, LazyLocallyConnected3d
from convexp.layers.local import LocallyConnected1d, LocallyConnected2d, LocallyConnected3d
from convexp.layers.low_rank import LowRankLocallyConnected1d, LowRankLocallyConnected2d, LowRankLocallyConnected3d

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "Cost",
    "Dense1d",
    "Dense2d",
    "Dense3d",
    "GlobalConv1d",
    "GlobalConv2d",
    "GlobalConv3d",
    "LazyLocallyConnected1d",
    "LazyLocallyConnected2d",
    "LazyLocallyConnected3d",
    "LocallyConnected1d",
    "LocallyConnected2d",
    "LocallyConnected3d",
    "LowRankLocallyConnected1d",
    "LowRankLocallyConnected2d",
    "LowRankLocallyConnected3d",
    "as_dense",
    "as_local",
    "as_low_rank",
    "convolve",
    "correlate",
    "cost",
    "extent",
    "flip",
    "from_torch",
    "im2col",
    "locally_connected",
    "nearest_conv",
    "nearest_local",
    "output_size",
    "receptive_field",
    "same_padding",
    "transposed_output_size",
    "with_holes",
]
