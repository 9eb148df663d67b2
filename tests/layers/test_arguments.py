import re

import pytest
import torch

from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d

LAYERS = (Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d)
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


@pytest.mark.parametrize("bias", [True, "unit", None])
def test_local_names_its_kinds_of_bias(bias):
    with pytest.raises(ValueError, match=f"bias={bias}: should be location, channel or false"):
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
