import math

import pytest
import torch
from cases import arguments, close, few, images, make, matrix, seeds
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from convexp.layers import (
    Conv2d,
    LocallyConnected2d,
    as_dense,
    as_local,
    convolve,
    correlate,
    extent,
    flip,
    im2col,
    output_size,
    receptive_field,
    transposed_output_size,
    with_holes,
)
from convexp.layers.convert import CONV
from convexp.layers.operands import pad

TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


@st.composite
def signals(draw: st.DrawFn, n: int) -> list[torch.Tensor]:
    """Tensors of one number of dimensions, 1 or 2."""
    dims = draw(st.integers(1, 2))
    torch.manual_seed(draw(seeds))
    return [torch.randn([draw(st.integers(1, 5)) for _ in range(dims)], dtype=torch.float64) for _ in range(n)]


@few
@given(signals(2))
def test_convolution_by_its_definition(pair):
    x, kernel = pair
    found = convolve(x, kernel)
    assert found.shape == tuple(n + k - 1 for n, k in zip(x.shape, kernel.shape, strict=True))
    expected = torch.zeros_like(found)
    for tap in torch.cartesian_prod(*(torch.arange(k) for k in kernel.shape)).reshape(-1, kernel.dim()).tolist():
        place = tuple(slice(t, t + n) for t, n in zip(tap, x.shape, strict=True))
        expected[place] += kernel[tuple(tap)] * x
    close(found, expected)


@few
@given(signals(3))
def test_convolution_commutes_and_associates(triple):
    a, b, c = triple
    close(convolve(a, b), convolve(b, a))
    close(convolve(convolve(a, b), c), convolve(a, convolve(b, c)))


@few
@given(signals(2))
def test_true_convolution_is_the_flipped_correlation(pair):
    x, kernel = pair
    dims = x.dim()
    border = [k - 1 for k in kernel.shape]
    theirs = {1: F.conv1d, 2: F.conv2d}[dims](x[None, None], flip(kernel, dims)[None, None], padding=border)
    close(convolve(x, kernel), theirs[0, 0])
    close(flip(flip(kernel, dims), dims), kernel)


@few
@given(signals(2))
def test_the_gradient_of_a_correlation_is_a_convolution(pair):
    small, large = sorted(pair, key=lambda t: t.numel())
    x = torch.randn([max(a, b) for a, b in zip(small.shape, large.shape, strict=True)], dtype=torch.float64)
    x, kernel = x.requires_grad_(), small[tuple(slice(n) for n in x.shape)].clone().requires_grad_()
    y = correlate(x, kernel)
    above = torch.randn_like(y)
    in_x, in_kernel = torch.autograd.grad(y, (x, kernel), above)
    close(in_x, convolve(above, kernel.detach()))
    close(in_kernel, correlate(x.detach(), above))


def test_correlate_needs_a_kernel_that_fits():
    for kernel in (torch.zeros(4, 1), torch.zeros(2)):
        with pytest.raises(ValueError, match="should fit into"):
            correlate(torch.zeros(3, 3), kernel)
    for kernel in (torch.zeros(2), torch.zeros(0, 2)):
        with pytest.raises(ValueError, match="kernel of shape"):
            convolve(torch.zeros(3, 3), kernel)


@few
@given(arguments(dims=None), seeds)
def test_im2col_times_the_kernel_matrix_is_the_convolution(geometry, seed):
    torch.manual_seed(seed)
    conv = make(CONV[len(geometry["input_size"])], geometry, bias=False)
    x = images(conv)
    columns = im2col(pad(x, conv.padding, conv.padding_mode), conv.kernel_size, conv.stride, conv.dilation)
    close((conv.weight.flatten(1) @ columns).unflatten(2, conv.output_size), conv(x))
    local = as_local(conv)
    per_location = local.kernel.flatten(local.dims + 1).flatten(0, local.dims - 1)  # (L, O, C*T)
    close(torch.einsum("lok,bkl->bol", per_location, columns).unflatten(2, conv.output_size), conv(x))
    if conv.dims == 2:
        close(columns, F.unfold(pad(x, conv.padding, conv.padding_mode), conv.kernel_size, conv.dilation, 0, conv.stride))


@few
@given(arguments(("zeros",), dims=None), seeds)
def test_transposed_convolution_is_the_transposed_matrix(geometry, seed):
    torch.manual_seed(seed)
    conv = make(CONV[len(geometry["input_size"])], geometry, bias=False)
    rest = [
        (n + 2 * p - extent(k, d)) % s
        for n, p, k, d, s in zip(conv.input_size, conv.padding, conv.kernel_size, conv.dilation, conv.stride, strict=True)
    ]
    window = (conv.kernel_size, conv.stride, conv.padding, conv.dilation)
    assert transposed_output_size(conv.output_size, *window, rest) == conv.input_size
    y = torch.randn(2, conv.out_channels, *conv.output_size, dtype=torch.float64)
    expected = (y.flatten(1) @ as_dense(conv).weight).reshape(2, conv.in_channels, *conv.input_size)
    if any(r >= max(s, d) for r, s, d in zip(rest, conv.stride, conv.dilation, strict=True)):
        return  # torch has no such transposed convolution
    close(TRANSPOSED[conv.dims](y, conv.weight, None, conv.stride, conv.padding, rest, 1, conv.dilation), expected)


@few
@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3), st.integers(0, 3))
def test_transposed_output_size(i, k, s, p, d, r):
    window = ([k], [s], [p], [d])
    if r >= s:
        with pytest.raises(ValueError, match=f"output_padding={r}: should be 0 or more, and less than stride={s}"):
            transposed_output_size([i], *window, [r])
        return
    size = s * (i - 1) + extent(k, d) + r - 2 * p
    if size < 1:
        with pytest.raises(ValueError, match=f"padding={p} leaves nothing"):
            transposed_output_size([i], *window, [r])
        return
    (found,) = transposed_output_size([i], *window, [r])
    theirs = nn.ConvTranspose1d(1, 1, k, s, p, output_padding=r, dilation=d)
    if r < max(s, d):
        assert found == theirs(torch.zeros(1, 1, i)).shape[2]
    assert output_size([found], *window) == (i,)  # the layer undoes its transpose


@few
@given(arguments(dims=None, grouped=True), seeds)
def test_a_dilated_kernel_is_a_kernel_with_holes(geometry, seed):
    torch.manual_seed(seed)
    conv = make(CONV[len(geometry["input_size"])], geometry)
    size = [extent(k, d) for k, d in zip(conv.kernel_size, conv.dilation, strict=True)]
    plain = make(type(conv), geometry | {"kernel_size": size, "dilation": 1})
    plain.load_state_dict({"weight": with_holes(conv.weight.detach(), conv.dilation), "bias": conv.bias})
    x = images(conv)
    close(plain(x), conv(x))


@pytest.mark.parametrize("kind", [Conv2d, LocallyConnected2d])
def test_kernels_of_one_pixel_are_the_same_perceptron_at_every_pixel(kind):
    """Delta = 0: a stack of 1x1 convolutions is one MLP for all pixels; without sharing, one for each."""
    torch.manual_seed(0)
    stack = nn.Sequential(kind(3, 4, 1, (5, 6)), nn.Tanh(), kind(4, 2, 1, (5, 6))).double()
    x = torch.randn(2, 3, 5, 6, dtype=torch.float64)
    y = stack(x)
    for i in range(5):
        for j in range(6):
            h = x[:, :, i, j]
            for layer in (stack[0], stack[2]):
                weight = layer.weight[..., 0, 0] if kind is Conv2d else layer.kernel[i, j, :, :, 0, 0]
                h = h @ weight.T + (layer.bias if kind is Conv2d else layer.bias[:, i, j])
                h = h.tanh() if layer is stack[0] else h
            close(y[:, :, i, j], h)


@few
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2)), min_size=1, max_size=4))
def test_receptive_field_is_what_a_unit_sees(stack):
    k, s, d = zip(*stack, strict=True)
    field, jump = receptive_field(k, s, d)
    x = torch.zeros(1, 1, field + jump + 3, requires_grad=True, dtype=torch.float64)
    y = x
    for kernel, stride, dilation in stack:
        y = F.conv1d(y, torch.ones(1, 1, kernel, dtype=torch.float64), stride=stride, dilation=dilation)
    for unit in range(2):
        (seen,) = torch.autograd.grad(y[0, 0, unit], x, retain_graph=True)
        places = seen[0, 0].nonzero().flatten()
        assert places.min() == unit * jump
        assert places.max() - places.min() + 1 == field
    assert jump == math.prod(s)


@few
@given(arguments(dims=None, grouped=True), seeds)
def test_gradient_in_the_input_is_the_transposed_matrix(geometry, seed):
    torch.manual_seed(seed)
    conv = make(CONV[len(geometry["input_size"])], geometry)
    local = as_local(conv)
    for layer in (conv, local):
        x = images(layer).requires_grad_()
        y = layer(x)
        above = torch.randn_like(y)
        (found,) = torch.autograd.grad(y, x, above)
        close(found.flatten(1), above.flatten(1) @ matrix(layer))
