import pytest
import torch
from cases import any_layer, arguments, close, few, images, make, matrix, seeds, windowed_matrix
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from convexp.layers import (
    GlobalConv2d,
    as_dense,
    as_local,
    as_low_rank,
    from_torch,
    nearest_conv,
    nearest_local,
)
from convexp.layers.convert import CONV, DENSE, LOCAL, LOW_RANK
from convexp.layers.taps import seen_pixels

biases = st.sampled_from(["location", "channel", False])


def dims(geometry):
    return len(geometry["input_size"])


@few
@given(any_layer, seeds, st.booleans(), st.integers(1, 3), st.booleans())
def test_conv_to_low_rank_to_local_to_dense(geometry, seed, bias, rank, softmax):
    torch.manual_seed(seed)
    conv = make(CONV[dims(geometry)], geometry, bias=bias)
    low_rank = as_low_rank(conv, rank, softmax)
    local = as_local(low_rank)
    x = images(conv)
    for layer in (low_rank, local, as_local(conv), as_dense(local), as_dense(conv), as_dense(low_rank)):
        assert (layer.bias is not None) == bias
        close(layer(x), conv(x))


@few
@given(any_layer, seeds)
def test_float32_to_five_decimals(geometry, seed):
    torch.manual_seed(seed)
    conv = CONV[dims(geometry)](**geometry)
    x = images(conv).float()
    for layer in (as_low_rank(conv, 2), as_local(conv), as_dense(conv)):
        assert layer.weight.dtype == torch.float32
        torch.testing.assert_close(layer(x), conv(x), rtol=0, atol=1e-5)


@few
@given(any_layer, seeds, biases, st.integers(1, 3), st.booleans())
def test_low_rank_is_the_mixture_it_says(geometry, seed, bias, rank, softmax):
    torch.manual_seed(seed)
    layer = make(LOW_RANK[dims(geometry)], geometry, bias=bias, rank=rank, softmax=softmax)
    with torch.no_grad():
        layer.combination.normal_()
    shares = layer.combination.exp() / layer.combination.exp().sum(0) if softmax else layer.combination
    x = images(layer)
    expected = 0 if layer.bias is None else layer.bias
    for share, kernel in zip(shares, layer.weight, strict=True):
        conv = make(CONV[layer.dims], geometry, bias=False)
        conv.load_state_dict({"weight": kernel})
        expected = expected + share * conv(x)
    close(layer(x), expected)
    local = as_local(layer)
    close(local(x), layer(x))
    if bias:
        assert local.bias.shape == layer.bias.shape


@few
@given(any_layer, seeds, biases)
def test_dense_of_local_is_the_matrix_of_the_definition(geometry, seed, bias):
    torch.manual_seed(seed)
    local = make(LOCAL[dims(geometry)], geometry, bias=bias)
    close(as_dense(local).weight, windowed_matrix(local, local.kernel.detach()))
    x = images(local)
    close(as_dense(local)(x), local(x))


@few
@given(arguments(("zeros", "circular"), centred=True), seeds)
def test_dense_of_global_conv(geometry, seed):
    torch.manual_seed(seed)
    layer = make(GlobalConv2d, geometry)
    x = images(layer)
    close(as_dense(layer)(x), layer(x))


def projected(residual, candidate):
    """Inner product of what a projection left out with an element of the space it projects on."""
    return (residual * candidate).sum().abs().item()


@few
@given(any_layer, seeds)
def test_nearest_local_is_the_orthogonal_projection(geometry, seed):
    torch.manual_seed(seed)
    groups = geometry.pop("groups")
    dense = make(DENSE[dims(geometry)], geometry)
    local = nearest_local(dense, groups)
    residual = dense.weight - as_dense(local).weight
    other = make(LOCAL[dims(geometry)], geometry, groups=groups)
    assert projected(residual, windowed_matrix(other, other.kernel.detach())) < 1e-10
    close(as_dense(nearest_local(as_dense(local), groups)).weight, as_dense(local).weight)
    close(local.bias.flatten(), dense.bias)
    unseen = (seen_pixels(local) < 0)[:, None, None].expand_as(local.kernel.flatten(0, local.dims - 1).flatten(3))
    assert (local.kernel.flatten(0, local.dims - 1).flatten(3)[unseen] == 0).all()


@few
@given(any_layer, seeds, st.sampled_from(["dense", "local", "low_rank"]))
def test_nearest_conv_is_the_orthogonal_projection(geometry, seed, kind):
    torch.manual_seed(seed)
    groups = geometry["groups"]
    layer = make(LOCAL[dims(geometry)], geometry) if kind == "local" else make(LOW_RANK[dims(geometry)], geometry, rank=3)
    if kind == "dense":
        layer = make(DENSE[dims(geometry)], {name: value for name, value in geometry.items() if name != "groups"})
    conv = nearest_conv(layer, groups)
    other = make(CONV[dims(geometry)], geometry)
    kernel = other.weight.detach().expand(*other.output_size, *other.weight.shape)
    assert projected(as_dense(layer).weight - as_dense(conv).weight, windowed_matrix(other, kernel)) < 1e-10
    close(conv.bias, layer.bias.reshape(conv.out_channels, -1).mean(1))


@few
@given(arguments(("zeros",), dims=None, grouped=True), seeds)
def test_nearest_conv_of_local_is_the_mean_over_the_weights_that_see_data(geometry, seed):
    torch.manual_seed(seed)
    local = make(LOCAL[dims(geometry)], geometry)
    kernels = local.kernel.flatten(0, local.dims - 1).flatten(3)  # (L, O, C/G, T)
    sees = (seen_pixels(local) >= 0).double()  # (L, T)
    mean = torch.einsum("lt,loct->oct", sees, kernels) / sees.sum(0).clamp(min=1)
    close(nearest_conv(local).weight.flatten(2), mean)


@few
@given(any_layer, seeds)
def test_nearest_conv_of_a_conv_in_disguise_is_that_conv(geometry, seed):
    torch.manual_seed(seed)
    conv = make(CONV[dims(geometry)], geometry)
    dense = as_dense(conv)
    x = images(conv)
    for layer in (as_local(conv), as_low_rank(conv, 2), dense, nearest_local(dense, conv.groups)):
        close(nearest_conv(layer, conv.groups)(x), conv(x))


@few
@given(any_layer, seeds)
def test_from_torch(geometry, seed):
    torch.manual_seed(seed)
    size = geometry.pop("input_size")
    theirs = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[len(size)](**geometry).double()
    ours = from_torch(theirs, size)
    x = images(ours)
    close(ours(x), theirs(x))
    close(as_local(ours)(x), theirs(x))


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_from_torch_with_padding_in_words(padding):
    theirs = nn.Conv2d(2, 3, (3, 5), padding=padding, dilation=(2, 1)).double()
    ours = from_torch(theirs, (9, 8))
    x = images(ours)
    close(ours(x), theirs(x))


def test_maps_share_nothing_with_what_they_came_from():
    conv = make(CONV[2], {"in_channels": 1, "out_channels": 1, "kernel_size": 3, "input_size": 5})
    made = [as_low_rank(conv), as_local(conv), as_dense(conv), nearest_conv(as_local(conv))]
    with torch.no_grad():
        conv.weight.zero_()
        conv.bias.zero_()
    assert all(p.abs().sum() > 0 for layer in made for p in layer.parameters())
    assert all(p.requires_grad and p.is_leaf for layer in made for p in layer.parameters())


def test_groups_that_do_not_divide():
    dense = DENSE[2](4, 6, 3, 5)
    for call in (nearest_local, nearest_conv):
        with pytest.raises(ValueError, match="groups=4: should divide in_channels=4 and out_channels=6"):
            call(dense, 4)
    with pytest.raises(ValueError, match="groups=0: should be 1 or more"):
        nearest_conv(dense, 0)
    with pytest.raises(ValueError, match="groups=2: should be the layer's own, 1"):
        nearest_conv(LOCAL[2](4, 6, 3, 5), 2)


@pytest.mark.parametrize("call", [as_low_rank, as_local, as_dense, nearest_local, nearest_conv])
def test_what_a_map_cannot_map_is_refused(call):
    with pytest.raises(TypeError, match=r"torch.*Conv2d: should be one of .*; from_torch makes one of torch's"):
        call(nn.Conv2d(1, 1, 3))
    for other in (nn.Linear(1, 1), None):
        with pytest.raises(TypeError, match="should be one of"):
            call(other)


def test_other_maps_that_are_refused():
    low_rank = LOW_RANK[2](1, 1, 3, 5)
    for call, layer in ((as_low_rank, low_rank), (as_local, DENSE[2](1, 1, 3, 5)), (nearest_local, low_rank)):
        with pytest.raises(TypeError, match="should be one of"):
            call(layer)
    for other in (nn.ConvTranspose2d(3, 3, 3), nn.Linear(1, 1)):
        with pytest.raises(TypeError, match="should be one of Conv1d, Conv2d, Conv3d"):
            from_torch(other, 5)


def test_maps_do_not_depend_on_the_default_device_or_autocast():
    torch.manual_seed(0)
    low_rank = LOW_RANK[2](2, 3, 3, 5, rank=2)
    x = images(low_rank).float()
    with torch.autocast("cpu", torch.bfloat16):
        local, dense = as_local(low_rank), as_dense(low_rank)
    with torch.device("meta"):
        assert nearest_conv(local).weight.device.type == "cpu"
    for layer in (local, dense):
        torch.testing.assert_close(layer(x), low_rank(x), rtol=0, atol=1e-5)


@few
@given(arguments(dims=None), seeds)
def test_seen_pixels_are_where_the_matrix_is_not_zero(geometry, seed):
    torch.manual_seed(seed)
    layer = make(CONV[dims(geometry)], geometry | {"in_channels": 1, "out_channels": 1})
    assume(layer.weight.abs().min() > 1e-6)
    with torch.no_grad():
        layer.weight.abs_()
    nonzero = matrix(layer) > 0
    pixels = seen_pixels(layer)
    for location, row in zip(pixels, nonzero, strict=True):
        assert set(location[location >= 0].tolist()) == set(row.nonzero().flatten().tolist())
