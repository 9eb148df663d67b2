import re

import numpy as np
import pytest
import torch

from convexp.layers import (
    Conv2d,
    Dense2d,
    GlobalConv2d,
    LazyLocallyConnected2d,
    LocallyConnected1d,
    LocallyConnected2d,
    LocallyConnected3d,
    LowRankLocallyConnected2d,
    locally_connected,
)

WINDOWS = (Conv2d, LocallyConnected2d, LowRankLocallyConnected2d)
LAYERS = (*WINDOWS, Dense2d, GlobalConv2d)
FITS = {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "input_size": (5, 4)}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"in_channels": 0}, "in_channels=0: should be 1 or more"),
        ({"out_channels": -1}, "out_channels=-1: should be 1 or more"),
        ({"kernel_size": 0}, "kernel_size=0: should be one integer or two, each 1 or more"),
        ({"kernel_size": (3, -1)}, "kernel_size=(3, -1): should be"),
        ({"kernel_size": (3, 3, 3)}, "kernel_size=(3, 3, 3): should be one integer or two"),
        ({"kernel_size": 6}, "kernel_size=6 is larger than the padded input"),
        ({"kernel_size": 3, "dilation": 2}, "kernel_size=3 (dilation 2: 5 pixels wide) is larger"),
        ({"input_size": 0}, "input_size=0: should be"),
        ({"input_size": (5, -4)}, "input_size=(5, -4): should be"),
        ({"stride": 0}, "stride=0: should be"),
        ({"stride": (1, -1)}, "stride=(1, -1): should be"),
        ({"padding": -1}, "padding=-1: should be one integer or two, each 0 or more"),
        ({"padding": ()}, "padding=(): should be"),
        ({"dilation": 0}, "dilation=0: should be"),
        ({"padding_mode": "mirror"}, "padding_mode=mirror: "),
        ({"padding": "full"}, "padding=full: should be pixels, same or valid"),
        ({"padding": "same", "kernel_size": (3, 2)}, "padding=same needs an odd kernel_size, got 2; use 1 or 3"),
    ],
)
def test_a_wrong_argument_is_named(kind, wrong, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        kind(**FITS | wrong)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("shape", [(1, 1, 5, 4), (1, 2, 4, 5), (1, 2, 5, 5), (5, 4), (3, 5, 4), (1, 1, 2, 5, 4), (1, 40)])
def test_a_wrong_input_is_told_the_right_shape(kind, shape):
    with pytest.raises(ValueError, match=re.escape(f"{shape}: should be (B, 2, 5, 4), or (2, 5, 4) without a batch")):
        kind(**FITS)(torch.zeros(shape))


@pytest.mark.parametrize("bias", ["unit", None, 1, 0])
def test_local_names_its_kinds_of_bias(bias):
    with pytest.raises(ValueError, match=re.escape(f"bias={bias}: should be location (or true), channel or false")):
        LocallyConnected2d(**FITS, bias=bias)


@pytest.mark.parametrize("mode", ["reflect", "replicate"])
def test_global_conv_has_two_borders(mode):
    with pytest.raises(ValueError, match=f"padding_mode={mode}.*zeros or circular"):
        GlobalConv2d(**FITS, padding_mode=mode)


@pytest.mark.parametrize(("padding", "kernel", "most"), [(2, 3, 1), ((1, 3), (3, 5), 2), (1, 1, 0)])
def test_global_conv_keeps_its_centres_inside(padding, kernel, most):
    with pytest.raises(ValueError, match=f"is at most {most} here"):
        GlobalConv2d(**FITS | {"kernel_size": kernel}, padding=padding)
    GlobalConv2d(**FITS | {"kernel_size": kernel}, padding=padding, padding_mode="circular")


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("name", ["in_channels", "out_channels", "kernel_size", "input_size", "stride", "padding", "dilation"])
@pytest.mark.parametrize("value", [1.0, True, None, "3", (1.0, 1)])
def test_what_is_no_integer_is_a_type_error(kind, name, value):
    error = ValueError if name == "padding" and value == "3" else TypeError
    with pytest.raises(error, match=f"{name}=.*: should be"):
        kind(**FITS | {name: value})


@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize(("channels", "groups"), [((2, 3), 2), ((3, 2), 2), ((2, 4), 3)])
def test_groups_divide_the_channels(kind, channels, groups):
    message = f"groups={groups}: should divide in_channels={channels[0]} and out_channels={channels[1]}"
    with pytest.raises(ValueError, match=message):
        kind(*channels, 3, 5, groups=groups)
    with pytest.raises(ValueError, match="groups=0: should be 1 or more"):
        kind(2, 2, 3, 5, groups=0)


@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize(("mode", "padding", "most"), [("reflect", 5, 4), ("circular", 6, 5), ("reflect", (0, 4), 3)])
def test_a_border_wider_than_the_image(kind, mode, padding, most):
    with pytest.raises(ValueError, match=f"with padding_mode={mode} is at most {most} for"):
        kind(**FITS, padding=padding, padding_mode=mode)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.complex64])
def test_an_input_that_is_not_floating_point(kind, dtype):
    with pytest.raises(TypeError, match=f"input of dtype {dtype}: should be floating point"):
        kind(**FITS)(torch.zeros(1, 2, 5, 4, dtype=dtype))


@pytest.mark.parametrize("kind", LAYERS)
def test_an_input_of_another_type_or_on_another_device(kind):
    layer = kind(**FITS)
    with pytest.raises(TypeError, match=r"input of dtype torch.float64: should be the weight's, torch.float32"):
        layer(torch.zeros(1, 2, 5, 4, dtype=torch.float64))
    with pytest.raises(ValueError, match="input on device meta: should be on the weight's, cpu"):
        layer(torch.zeros(1, 2, 5, 4, device="meta"))


@pytest.mark.parametrize(("kind", "words"), [(LocallyConnected1d, "one integer"), (LocallyConnected3d, "one integer or three")])
def test_other_dimensions(kind, words):
    with pytest.raises(ValueError, match=re.escape(f"kernel_size=(3, 3): should be {words}, each 1 or more")):
        kind(1, 1, (3, 3), 5)
    with pytest.raises(ValueError, match="input of shape"):
        kind(1, 1, 3, 5)(torch.zeros(1, 1, 5, 5, 1, 1))


@pytest.mark.parametrize("kind", LAYERS)
def test_integers_of_other_libraries(kind):
    small = np.int64(3)
    layer = kind(small, torch.tensor(4), small, np.array([6, 5]), stride=np.int8(1), padding=(small - 2, small - 2))
    assert repr(layer) == repr(kind(3, 4, 3, (6, 5), 1, 1))
    assert all(type(n) is int for n in (*layer.input_size, layer.in_channels, layer.out_channels))
    assert layer(torch.zeros(2, 3, 6, 5)).shape == (2, 4, 6, 5)


@pytest.mark.parametrize("kind", [Conv2d, Dense2d, GlobalConv2d])
@pytest.mark.parametrize("bias", ["location", "chanel", None, 1])
def test_a_bias_that_is_neither_yes_nor_no(kind, bias):
    with pytest.raises(TypeError, match=f"bias={bias!r}: should be True or False"):
        kind(**FITS, bias=bias)


def test_low_rank_and_lazy_check_their_own():
    with pytest.raises(TypeError, match="softmax='no': should be True or False"):
        LowRankLocallyConnected2d(**FITS, softmax="no")
    with pytest.raises(ValueError, match="rank=0: should be 1 or more"):
        LowRankLocallyConnected2d(**FITS, rank=0)
    with pytest.raises(ValueError, match="bias=unit"):
        LowRankLocallyConnected2d(**FITS, bias="unit")
    with pytest.raises(ValueError, match="stride=0: should be one integer or two"):
        LazyLocallyConnected2d(3, 2, stride=0)
    with pytest.raises(ValueError, match=r"kernel_size=6 is larger than the padded input, 5 \+ 2\*0 = 5 pixels"):
        LazyLocallyConnected2d(3, 6)(torch.zeros(1, 1, 5, 5))
    with pytest.raises(ValueError, match="groups=2: should divide in_channels=3"):
        LazyLocallyConnected2d(2, 3, groups=2)(torch.zeros(1, 3, 5, 5))


X, W = torch.zeros(2, 4, 5, 6), torch.zeros(3, 4, 6, 4, 3, 3)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"weight": torch.zeros(6, 4, 3)}, ValueError, "weight of shape (6, 4, 3): should be"),
        ({"input": X[0, 0]}, ValueError, "input of shape (5, 6): should have 4 dimensions, or 3 without a batch"),
        ({"input": X.int()}, TypeError, "input of dtype torch.int32"),
        ({"input": X.double()}, TypeError, "should be the weight's, torch.float32"),
        ({"padding_mode": "mirror"}, ValueError, "padding_mode=mirror: should be one of"),
        ({"stride": 0}, ValueError, "stride=0: should be"),
        ({"groups": 4}, ValueError, "groups=4: should divide the weight's 6 output channels"),
        ({"groups": 2}, ValueError, "should have 8 channels, as weight and groups say"),
        ({"padding": 1}, ValueError, "should begin with (5, 6), the number of locations for this input"),
        ({"padding": 7, "padding_mode": "circular"}, ValueError, "padding=7 with padding_mode=circular is at most 5"),
        ({"bias": torch.zeros(5)}, ValueError, "bias of shape (5,): should be (6,) or (6, 3, 4)"),
        ({"bias": torch.zeros(6).double()}, TypeError, "bias of dtype torch.float64: should be the weight's, torch.float32"),
        ({"bias": torch.zeros(6, device="meta")}, ValueError, "bias on device meta: should be on the weight's, cpu"),
        ({"weight": W.int()}, TypeError, "weight of dtype torch.int32: should be floating point"),
        ({"weight": W[:, :, :, :0]}, ValueError, "weight of shape (3, 4, 6, 0, 3, 3): should be"),
        ({"input": X.numpy()}, TypeError, "input of type ndarray: should be a torch.Tensor"),
        ({"bias": torch.zeros(6, 3, 3)}, ValueError, "bias of shape (6, 3, 3): should be"),
    ],
)
def test_the_functional_form_names_what_is_wrong(change, error, message):
    assert locally_connected(X, W).shape == (2, 6, 3, 4)
    with pytest.raises(error, match=re.escape(message)):
        locally_connected(**{"input": X, "weight": W} | change)


@pytest.mark.parametrize(
    ("bias", "padding", "mode"),
    [((6,), "valid", "zeros"), ((6, 1, 1), 0, "zeros"), ((6, 5, 6), "same", "reflect"), (None, 1, "zeros")],
)
def test_the_functional_form_is_the_layer(bias, padding, mode):
    torch.manual_seed(0)
    kind = False if bias is None else "location" if bias == (6, 5, 6) else "channel"
    layer = LocallyConnected2d(4, 6, 3, (5, 6), padding=padding, bias=kind, padding_mode=mode)
    x = torch.randn_like(X)
    given = None if bias is None else layer.bias.reshape(bias)
    found = locally_connected(x, layer.kernel, given, padding=padding, padding_mode=mode)
    assert torch.equal(found, layer(x))
    assert torch.equal(locally_connected(x[0], layer.kernel, given, padding=padding, padding_mode=mode), layer(x[0]))


@pytest.mark.parametrize("batch", [0, 1])
@pytest.mark.parametrize("kind", LAYERS)
def test_batches_of_none_and_one(kind, batch):
    layer = kind(**FITS)
    x = torch.randn(batch, 2, 5, 4, requires_grad=True)
    y = layer(x)
    assert y.shape == (batch, 3, 3, 2)
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert (layer.weight.grad.abs().sum() > 0) == bool(batch)
