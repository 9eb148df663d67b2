import math
from itertools import product

import pytest
import torch
from cases import Arguments, any_layer, arguments, close, few, images, make, matrix, seeds, tie, windowed_matrix
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.layers.convert import CONV, LOCAL

LAYERS = (Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d)
TORCH = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
SMALL = {"in_channels": 2, "out_channels": 3, "kernel_size": (3, 1), "input_size": (5, 4), "stride": (2, 1), "padding": (1, 0)}

centred = arguments(("zeros", "circular"), centred=True)


@few
@given(any_layer, seeds)
def test_conv_is_that_of_torch(geometry, seed):
    torch.manual_seed(seed)
    dims = len(geometry["input_size"])
    conv = make(CONV[dims], geometry)
    torch_conv = TORCH[dims](**{name: value for name, value in geometry.items() if name != "input_size"}).double()
    torch_conv.load_state_dict(conv.state_dict())
    x = images(conv)
    close(conv(x), torch_conv(x))


@few
@given(any_layer, seeds, st.sampled_from(["location", "channel", False]))
def test_local_with_one_kernel_is_conv(geometry, seed, bias):
    torch.manual_seed(seed)
    dims = len(geometry["input_size"])
    conv, local = make(CONV[dims], geometry, bias=bool(bias)), make(LOCAL[dims], geometry, bias=bias)
    tie(local, conv)
    x = images(conv)
    close(local(x), conv(x))


@few
@given(any_layer, seeds)
def test_local_gradient_summed_over_locations_is_conv_gradient(geometry, seed):
    torch.manual_seed(seed)
    dims = len(geometry["input_size"])
    conv, local = make(CONV[dims], geometry), make(LOCAL[dims], geometry)
    tie(local, conv)
    x = images(conv)
    upstream = torch.randn_like(conv(x))
    (conv(x) * upstream).sum().backward()
    (local(x) * upstream).sum().backward()
    close(local.in_literature_order(local.weight.grad).sum(tuple(range(dims))), conv.weight.grad)
    close(local.bias.grad.flatten(1).sum(1), conv.bias.grad)


@few
@given(any_layer, seeds)
def test_conv_and_local_are_matrices_with_zeros_outside_the_windows(geometry, seed):
    torch.manual_seed(seed)
    dims = len(geometry["input_size"])
    conv, local = make(CONV[dims], geometry), make(LOCAL[dims], geometry)
    for layer, kernel in ((conv, conv.weight.expand_as(local.kernel)), (local, local.kernel)):
        expected = windowed_matrix(layer, kernel.detach())
        found = matrix(layer)
        close(found, expected)
        inside = windowed_matrix(layer, torch.ones_like(local.kernel)) > 0
        assert (found[~inside] == 0).all()


@few
@given(arguments(), seeds, st.sampled_from([Conv2d, LocallyConnected2d]))
def test_dense_with_the_matrix_of_a_layer_is_that_layer(geometry, seed, kind):
    torch.manual_seed(seed)
    layer, dense = make(kind, geometry), make(Dense2d, geometry)
    with torch.no_grad():
        dense.weight.copy_(matrix(layer))
        dense.bias.copy_(layer(torch.zeros_like(images(layer, 1))).flatten())
    x = images(layer)
    close(dense(x), layer(x))


@few
@given(centred, seeds, st.sampled_from(LAYERS))
def test_every_layer_is_linear_but_for_its_bias(geometry, seed, kind):
    torch.manual_seed(seed)
    layer = make(kind, geometry)
    x = images(layer)
    bias = layer(torch.zeros_like(x[:1]))
    close(layer(x), (x.flatten(1) @ matrix(layer).T).reshape(len(x), *bias.shape[1:]) + bias)
    each = bias[0] if layer.bias.numel() == bias.numel() else bias[0, :, 0, 0]
    close(each.flatten(), layer.bias.flatten())


@few
@given(centred, seeds)
def test_global_conv_is_the_dense_layer_it_says(geometry, seed):
    torch.manual_seed(seed)
    layer, dense = make(GlobalConv2d, geometry, bias=False), make(Dense2d, geometry, bias=False)
    with torch.no_grad():
        dense.weight.copy_(layer.dense_weight().reshape_as(dense.weight))
    x = images(layer)
    close(dense(x), layer(x))


@few
@given(centred, seeds)
def test_global_conv_weights_depend_on_the_offset_alone(geometry, seed):
    torch.manual_seed(seed)
    layer = make(GlobalConv2d, geometry)
    size, kernel = layer.input_size, layer.weight.shape[2:]
    dense = layer.dense_weight()
    for i, j, row, column in product(*(range(n) for n in (*layer.output_size, *size))):
        offset = [
            pixel - (s * o - p + d * (n - 1) // 2) + m // 2
            for pixel, s, o, p, d, n, m in zip(
                (row, column), layer.stride, (i, j), layer.padding, layer.dilation, layer.kernel_size, kernel, strict=True
            )
        ]
        a, b = (t % m for t, m in zip(offset, kernel, strict=True)) if layer.padding_mode == "circular" else offset
        assert torch.equal(dense[:, i, j, :, row, column], layer.weight[:, :, a, b])


@few
@given(centred, seeds)
def test_global_conv_that_is_zero_outside_the_window_is_conv(geometry, seed):
    torch.manual_seed(seed)
    conv, layer = make(Conv2d, geometry), make(GlobalConv2d, geometry)
    kernel = layer.weight.shape[2:]
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(conv.bias)
        for taps in product(*(range(n) for n in conv.kernel_size)):
            a, b = (
                d * t - d * (k - 1) // 2 + m // 2
                for t, d, k, m in zip(taps, conv.dilation, conv.kernel_size, kernel, strict=True)
            )
            if geometry["padding_mode"] == "circular":
                layer.weight[:, :, a % kernel[0], b % kernel[1]] += conv.weight[:, :, *taps]
            elif 0 <= a < kernel[0] and 0 <= b < kernel[1]:  # the others touch nothing but the border
                layer.weight[:, :, a, b] = conv.weight[:, :, *taps]
    x = images(conv)
    close(layer(x), conv(x))


@st.composite
def rolls(draw: st.DrawFn) -> tuple[Arguments, list[int]]:
    """A circular layer with padding=same on an image that the stride divides, and a shift of its output."""
    k, s, n = ([draw(st.integers(1, most)) for _ in range(2)] for most in (2, 2, 4))
    geometry = {
        "in_channels": 2,
        "out_channels": 2,
        "kernel_size": [2 * a - 1 for a in k],
        "stride": s,
        "padding": [a - 1 for a in k],
    }
    size = [max(m, a) * b for m, a, b in zip(n, k, s, strict=True)]
    return geometry | {"input_size": size, "padding_mode": "circular"}, [draw(st.integers(-5, 5)) for _ in range(2)]


@few
@given(rolls(), seeds, st.sampled_from([Conv2d, GlobalConv2d]))
def test_shared_weights_at_a_circular_border_are_equivariant(roll, seed, kind):
    torch.manual_seed(seed)
    geometry, shift = roll
    layer = make(kind, geometry)
    x = images(layer)
    moved = torch.roll(x, [s * n for s, n in zip(layer.stride, shift, strict=True)], (2, 3))
    close(layer(moved), torch.roll(layer(x), shift, (2, 3)))


@pytest.mark.parametrize("kind", [Dense2d, LocallyConnected2d])
@pytest.mark.parametrize("shift", [(0, 1), (1, 0), (-2, 3)])
def test_weights_per_location_are_not_equivariant(kind, shift):
    torch.manual_seed(0)
    layer = kind(2, 3, 3, 6, padding=1, padding_mode="circular", bias=False).double()
    x = images(layer)
    assert (layer(torch.roll(x, shift, (2, 3))) - torch.roll(layer(x), shift, (2, 3))).abs().max() > 0.1


@few
@given(centred)
def test_parameters_are_those_of_the_table(geometry):
    c, o, (h, w) = (geometry[name] for name in ("in_channels", "out_channels", "input_size"))
    k = math.prod(geometry["kernel_size"])
    units = math.prod(Conv2d(**geometry).output_size)
    offsets = h * w if geometry["padding_mode"] == "circular" else (2 * h - 1) * (2 * w - 1)
    table = [
        (Dense2d, True, c * h * w * o * units, o * units),
        (LocallyConnected2d, "location", units * o * c * k, o * units),
        (LocallyConnected2d, "channel", units * o * c * k, o),
        (GlobalConv2d, True, o * c * offsets, o),
        (LowRankLocallyConnected2d, "location", o * c * k + units, o * units),
        (Conv2d, True, o * c * k, o),
    ]
    for kind, bias, weights, biases in table:
        assert sum(p.numel() for p in kind(**geometry, bias=bias).parameters()) == weights + biases
        assert sum(p.numel() for p in kind(**geometry, bias=False).parameters()) == weights
    assert LocallyConnected2d(**geometry).bias.shape == (o, *Conv2d(**geometry).output_size)


@few
@given(centred, st.sampled_from(LAYERS))
def test_kernels_are_pictures_of_all_weights(geometry, kind):
    layer = kind(**geometry)
    (h, w), (h2, w2) = layer.input_size, layer.output_size
    circular = geometry["padding_mode"] == "circular"
    locations, size = {
        Conv2d: (1, layer.kernel_size),
        LocallyConnected2d: (h2 * w2, layer.kernel_size),
        LowRankLocallyConnected2d: (h2 * w2, layer.kernel_size),
        Dense2d: (h2 * w2, (h, w)),
        GlobalConv2d: (1, (h, w) if circular else (2 * h - 1, 2 * w - 1)),
    }[kind]
    kernels = layer.kernels()
    assert kernels.shape == (layer.out_channels, locations, layer.in_channels, *size)
    weights = layer.kernel if kind is LowRankLocallyConnected2d else layer.weight
    assert torch.equal(kernels.flatten().sort().values, weights.flatten().sort().values)


def test_kernels_of_local_and_dense_belong_to_their_units():
    torch.manual_seed(0)
    local, dense = make(LocallyConnected2d, SMALL), make(Dense2d, SMALL)
    (h, w), (down, right) = local.output_size, local.stride
    x = torch.nn.functional.pad(images(local, 1), (0, 0, 1, 1))
    for o, i, j in product(range(3), range(h), range(w)):
        window = x[0, :, i * down : i * down + 3, j * right : j * right + 1]
        unit = (local.kernels()[o, i * w + j] * window).sum() + local.bias[o, i, j]
        close(local(x[:, :, 1:-1])[0, o, i, j], unit)
        unit = (dense.kernels()[o, i * w + j] * x[0, :, 1:-1]).sum() + dense.bias[(o * h + i) * w + j]
        close(dense(x[:, :, 1:-1])[0, o, i, j], unit)


@pytest.mark.parametrize(
    ("kind", "fan_in"), [(Conv2d, 2 * 9), (LocallyConnected2d, 2 * 9), (Dense2d, 2 * 36), (GlobalConv2d, 2 * 36)]
)
def test_weights_start_uniform_by_the_inputs_of_one_unit(kind, fan_in):
    torch.manual_seed(0)
    layer = kind(2, 64, 3, 6, padding=1)
    bound = 1 / math.sqrt(fan_in)
    for values in (layer.weight, layer.bias):
        assert 0.9 * bound < values.abs().max() <= bound
        assert values.min() < 0 < values.max()


@pytest.mark.parametrize("rank", [1, 2, 8])
@pytest.mark.parametrize("softmax", [False, True])
def test_low_rank_kernels_start_as_spread_as_those_of_conv(rank, softmax):
    """Variance 1 / (3 fan-in), that of nn.Conv2d's uniform start: over many layers, within five standard errors."""
    torch.manual_seed(0)
    layers = [LowRankLocallyConnected2d(2, 32, 3, 8, padding=1, rank=rank, softmax=softmax) for _ in range(100)]
    variances = torch.stack([layer.kernel.detach().square().mean() for layer in layers])
    assert abs(variances.mean() - 1 / (3 * 2 * 9)) < 5 * variances.std() / math.sqrt(len(layers))


@pytest.mark.parametrize("kind", LAYERS)
def test_repr_shows_the_arguments(kind):
    shown = repr(kind(**SMALL))
    assert shown.startswith(f"{kind.__name__}(2, 3, kernel_size=(3, 1), input_size=(5, 4), stride=(2, 1), padding=(1, 0)")
