"""A layer of signals is the layer of images of height 1, and a layer of images that of volumes of depth 1."""

from typing import Any

import pytest
import torch
from cases import Arguments, arguments, close, few, images, make, seeds
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import convexp.layers as layers
from convexp.layers import Conv1d, GlobalConv1d, LocallyConnected1d

KINDS = ("Conv", "LocallyConnected", "LowRankLocallyConnected", "Dense", "GlobalConv")
BY_DIMENSION = ("kernel_size", "input_size", "stride", "padding", "dilation")
centred = st.sampled_from((1, 1, 2)).flatmap(lambda dims: arguments(("zeros", "circular"), centred=True, dims=dims))
NEUTRAL = {"kernel_size": 1, "input_size": 1, "stride": 1, "padding": 0, "dilation": 1}


def flattened(geometry: Arguments) -> Arguments:
    """The arguments of the layer with one more dimension, in front, in which everything has one pixel."""
    return geometry | {name: (NEUTRAL[name], *geometry[name]) for name in BY_DIMENSION}


def pair(kind: str, geometry: Arguments) -> tuple[Any, Any]:
    """A layer, and the one of one more dimension with the same weights."""
    dims = len(geometry["input_size"])
    layer = make(getattr(layers, f"{kind}{dims}d"), geometry)
    wider = make(getattr(layers, f"{kind}{dims + 1}d"), flattened(geometry))
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            wider.get_parameter(name).copy_(parameter.reshape(wider.get_parameter(name).shape))
    return layer, wider


@few
@given(centred, seeds, st.sampled_from(KINDS))
def test_a_layer_is_the_one_of_one_more_dimension_at_height_1(geometry, seed, kind):
    torch.manual_seed(seed)
    layer, wider = pair(kind, geometry)
    x = images(layer)
    for by_fourier in (False, True) if kind == "GlobalConv" else (None,):
        layer.by_fourier = wider.by_fourier = by_fourier
        h = layer(x)
        assert h.shape[2:] == layer.output_size
        close(wider(x.unsqueeze(2)).squeeze(2), h)
    assert layer.weight_count() + layer.bias_count() == sum(p.numel() for p in layer.parameters())


@few
@given(arguments(dims=1), seeds)
def test_conv_of_signals_is_conv2d_of_torch_at_height_1(geometry, seed):
    torch.manual_seed(seed)
    conv, flat = make(Conv1d, geometry), {name: value for name, value in flattened(geometry).items() if name != "input_size"}
    theirs = nn.Conv2d(**flat).double()
    theirs.load_state_dict({"weight": conv.weight[:, :, None], "bias": conv.bias})
    x = images(conv)
    close(theirs(x[:, :, None])[:, :, 0], conv(x))


@pytest.mark.parametrize("circular", [False, True])
def test_global_conv_of_signals_slides_one_kernel_over_all_of_them(circular):
    torch.manual_seed(0)
    layer = GlobalConv1d(2, 3, 3, 6, padding=1, padding_mode="circular" if circular else "zeros").double()
    length = 6 if circular else 11
    assert layer.weight.shape == (3, 2, length)
    windows = LocallyConnected1d(2, 3, 3, 6, padding=1)  # has the same units
    assert layer.output_size == windows.output_size
    x = images(layer)
    unit = 4
    offsets = torch.arange(6) - unit + length // 2
    expected = (layer.weight[:, :, offsets % length] * x[:, None]).sum((2, 3)) + layer.bias
    close(layer(x)[:, :, unit], expected)
