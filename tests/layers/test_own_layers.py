"""What a layer gets that defines its forward pass alone, or its kernels alone: what the layers know that define more."""

import pytest
import torch
from cases import arguments, close, few, images, make, matrix, seeds
from hypothesis import given
from torch import nn
from torch.nn import functional as F

from convexp.layers import Conv2d, Dense2d, LocallyConnected2d, as_dense, as_local, cost, nearest_conv, nearest_local
from convexp.layers.base import NotLinearError, SpatialLayer
from convexp.layers.operands import pad
from convexp.layers.windowed import WindowedLayer


class Plain(SpatialLayer):
    """A convolution that defines its forward pass alone."""

    dims = 2

    def __init__(self, groups=1, **geometry):
        super().__init__(**geometry, groups=groups)
        self.weight = nn.Parameter(torch.empty(self.out_channels, self.in_channels // groups, *self.kernel_size))
        self.bias = nn.Parameter(torch.empty(self.out_channels))
        self.reset_parameters()

    def batched(self, x):
        x = pad(x, self.padding, self.padding_mode)
        return F.conv2d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class Columns(WindowedLayer):
    """Locations of a column share a kernel: defines its kernel alone."""

    dims = 2

    def __init__(self, **geometry):
        super().__init__(**geometry)
        self.weight = nn.Parameter(torch.empty(self.output_size[1], self.out_channels, self.in_channels, *self.kernel_size))
        self.bias = nn.Parameter(torch.empty(self.out_channels, 1, 1))
        self.reset_parameters()

    @property
    def kernel(self):
        return self.weight.expand(self.output_size[0], *self.weight.shape)


class Rectified(Plain):
    def batched(self, x):
        return super().batched(x).relu()


@few
@given(arguments(grouped=True), seeds)
def test_defaults_are_those_of_the_dense_layer(geometry, seed):
    torch.manual_seed(seed)
    plain = make(Plain, geometry)
    dense = as_dense(plain)
    x = images(plain)
    close(dense(x), plain(x))
    assert plain.is_linear()
    close(plain.dense_weight().reshape_as(dense.weight), matrix(plain))
    close(plain.kernels(), dense.kernels())
    for found, known in zip(vars(plain.taps()).values(), vars(dense.taps()).values(), strict=True):
        assert found is known or torch.allclose(found, known, atol=1e-12)
    close(plain.local_kernel(), dense.local_kernel())
    close(nearest_local(plain).weight, nearest_local(dense).weight)
    close(torch.tensor(plain.conv_residual()), torch.tensor(conv_residual(plain, dense)))
    assert plain.random_conv_share() == dense.random_conv_share()


def conv_residual(plain, dense):
    """By the definition, with the groups of ``plain``."""
    rest = dense.weight - as_dense(nearest_conv(dense, plain.groups)).weight
    return rest.square().sum().item(), dense.weight.square().sum().item()


@few
@given(arguments(grouped=True), seeds)
def test_a_convolution_that_says_nothing_is_found_to_be_one(geometry, seed):
    torch.manual_seed(seed)
    plain, conv = make(Plain, geometry), make(Conv2d, geometry)
    with torch.no_grad():
        plain.weight.copy_(conv.weight)
        plain.bias.copy_(conv.bias)
    x = images(conv)
    close(nearest_conv(plain)(x), conv(x))
    residual, energy = plain.conv_residual()
    assert residual <= 1e-12 * max(energy, 1e-300)
    known, found = cost(conv, 3), cost(plain, 3)
    assert (found.weights, found.biases, found.forward_flops) == (known.weights, known.biases, known.forward_flops)
    assert found.parameter_bytes == known.parameter_bytes
    if conv.groups == 1:  # torch counts the weight gradient of others as if they had none
        assert found == known


@few
@given(arguments(), seeds)
def test_kernels_at_every_location_are_all_that_a_layer_with_windows_has_to_define(geometry, seed):
    torch.manual_seed(seed)
    columns = make(Columns, geometry)
    local = as_local(columns)
    assert isinstance(local, LocallyConnected2d)
    x = images(columns)
    close(local(x), columns(x))
    close(as_dense(columns)(x), columns(x))
    close(columns.dense_weight().reshape(len(matrix(columns)), -1), matrix(columns))
    close(nearest_conv(columns).weight, nearest_conv(local).weight)
    assert columns.conv_residual() == pytest.approx(local.conv_residual(), abs=1e-12)
    found, known = cost(columns, 2), cost(local, 2)
    assert (found.forward_flops, found.backward_flops) == (known.forward_flops, known.backward_flops)
    assert (found.weights, found.biases) == (columns.weight.numel(), columns.out_channels)


def test_a_border_is_changed_where_the_layer_has_windows():
    geometry = {"in_channels": 1, "out_channels": 1, "kernel_size": 3, "input_size": 2, "padding": 2}
    for kind in (Conv2d, LocallyConnected2d, Columns):
        layer = kind(**geometry)
        assert layer.set_padding_mode("circular")
        assert not layer.set_padding_mode("reflect")  # at most 1 for 2 pixels
        assert layer.padding_mode == "circular"
        with pytest.raises(ValueError, match="padding_mode=mirror"):
            layer.set_padding_mode("mirror")
    for kind in (Plain, Dense2d):
        layer = kind(**geometry)
        assert not layer.set_padding_mode("circular")
        assert layer.padding_mode == "zeros"


@pytest.mark.parametrize("ability", ["dense_weight", "kernels", "taps", "local_kernel", "conv_kernel", "conv_residual"])
def test_a_layer_that_is_not_linear_says_so(ability):
    torch.manual_seed(0)
    layer = Rectified(in_channels=2, out_channels=3, kernel_size=3, input_size=5)
    assert not layer.is_linear()
    with pytest.raises(NotLinearError, match="Rectified is not linear"):
        getattr(layer, ability)()
    assert cost(layer).weights == layer.weight.numel()


def test_looking_at_a_layer_leaves_no_trace():
    torch.manual_seed(0)
    layer = nn.ModuleList([Plain(in_channels=2, out_channels=3, kernel_size=3, input_size=5)])
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    state = torch.get_rng_state()
    with torch.no_grad():
        layer[0].cost(2)
    layer[0].dense_weight()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in layer.parameters())


def test_an_empty_layer_has_the_same_cost():
    geometry = {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "input_size": 5}
    with torch.device("meta"):
        empty = Plain(**geometry)
    assert cost(empty, 2) == cost(Plain(**geometry), 2)
