"""A network as the operations that a page runs: rounding, limits, and what is left out."""

import math
import struct
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import SKELETON, STAGE, make
from torch import nn

from convexp.layers import Conv2d, Dense2d, LocallyConnected2d
from convexp.models import ImageNetwork
from convexp.models.lowering import LeftOutError, lower
from convexp.models.lowering.weights import Weights
from convexp.models.parts import Normalize
from convexp.records.playground_format import MAX_WEIGHTS, Numbers

few = settings(deadline=None, max_examples=50)


def read(weights: Weights, array: Numbers) -> np.ndarray[Any, Any]:
    kind = {"float16": "<f2", "float32": "<f4"}[array.type]
    count = math.prod(array.shape)
    found = np.frombuffer(bytes(weights.content), kind, count, array.offset)
    return array.scale * found.astype(np.float64).reshape(array.shape)


floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@few
@given(st.lists(floats, min_size=1, max_size=20), floats)
def test_half_precision_is_off_by_a_bounded_part(numbers, other):
    """|found - w| <= 2^-11 |w| + 2^-39 max |w|, whatever the magnitude: nothing overflows and nothing is lost."""
    weights = Weights()
    weights.half(torch.tensor([other]))
    exact = torch.tensor(numbers)
    array = weights.half(exact)
    w = exact.double().numpy()
    assert np.all(np.abs(read(weights, array) - w) <= 2.0**-11 * np.abs(w) + 2.0**-39 * np.abs(w).max())
    assert math.frexp(array.scale)[0] == 0.5  # a power of two
    assert array.offset % 4 == 0


@given(st.lists(floats, min_size=1, max_size=9))
def test_single_precision_is_exact(numbers):
    weights = Weights()
    assert read(weights, weights.single(torch.tensor(numbers))).tolist() == torch.tensor(numbers).tolist()
    assert bytes(weights.content) == struct.pack(f"<{len(numbers)}f", *torch.tensor(numbers).tolist())


@torch.no_grad()
def test_a_batch_norm_is_a_factor_and_a_summand():
    network = make(norm="batch")
    norm = network.stages[0].norm
    for tensor, low in ((norm.running_mean, -1), (norm.running_var, 0.1), (norm.weight, -1), (norm.bias, -1)):
        tensor.uniform_(low, 1)
    lowered = lower(network)
    layer = next(each for each in lowered.layers if each.op == "norm")
    assert layer.scale is not None
    assert layer.shift is not None
    scale, shift = (torch.tensor(read(lowered.weights, a)).view(-1, 1, 1) for a in (layer.scale, layer.shift))
    x = torch.randn(2, 6, 8, 8)
    torch.testing.assert_close(scale * x + shift, norm(x).double(), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_nothing_of_the_network_changes():
    network = make(norm="batch", wiring=OwnLinear).train()
    before, state = {k: v.clone() for k, v in network.state_dict().items()}, torch.get_rng_state()
    lower(network)
    assert network.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())


class OwnLinear(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, **_window: Any) -> None:
        super().__init__()
        self.mix = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x):
        return self.mix(x)


class Squaring(OwnLinear):
    def forward(self, x):
        return self.mix(x).square()


class Failing(OwnLinear):
    def forward(self, x):
        if x.dtype == torch.float64 or len(x) == 1:
            raise KeyError("no such thing")
        return self.mix(x)


def constant_channel():
    network = make()
    network.normalize.scale.fill_(float("inf"))
    return network


POINTWISE = replace(STAGE, channels=16, kernel_size=(1, 1), padding=(0, 0))
BORDERED = replace(STAGE, kernel_size=(1, 1), padding=(512, 512), stride=(1024, 1024))
LARGE = replace(STAGE, channels=800, kernel_size=(9, 9), padding=(4, 4))


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (lambda: ImageNetwork(Normalize([0.0], [1.0], 2), nn.Sequential(nn.Flatten(), nn.Linear(64, 3))), "it is a Sequential"),
        (lambda: nn.Linear(2, 3), "it is a Linear"),
        (lambda: make(Squaring), "Squaring is not linear"),
        (lambda: make(Failing), r"Failing cannot be followed \(KeyError: 'no such thing'\)"),
        (lambda: make(Dense2d, input_shape=(1, 64, 64)), "its weights take 192.0 MiB or more in half precision"),
        (lambda: make(OwnLinear, input_shape=(1, 64, 64)), "its weights take 192.0 MiB or more"),
        (lambda: make(input_shape=(3, 150, 150)), "an image has 67,500 numbers, and a page has at most 65,536"),
        (
            lambda: make(stages=(replace(STAGE, channels=500),), input_shape=(1, 64, 64), readout="global_avg"),
            "a layer has 2,048,000",
        ),
        (lambda: make(stages=(LARGE,), input_shape=(1, 32, 32), readout="global_avg"), "it takes 66 million multiply-adds"),
        (
            lambda: make(stages=(POINTWISE,) * 3, input_shape=(1, 256, 256), readout="global_avg"),
            "its layers have 4,194,321 units or more, and a page has at most 4,194,304",
        ),
        (lambda: make(stages=(BORDERED,), readout="global_avg"), "a layer with its border has 1,065,024 units"),
        (lambda: with_weight(float("nan")), "not all of its weights are finite"),
        (lambda: with_weight(float("inf")), "not all of its weights are finite"),
        (constant_channel, "a channel of the training images is constant"),
    ],
)
@torch.no_grad()
def test_what_a_page_cannot_run_is_left_out_with_a_sentence(network, sentence):
    with pytest.raises(LeftOutError, match=sentence):
        lower(network())


@torch.no_grad()
def with_weight(value: float):
    network = make()
    network.head.classes.weight[0, 0] = value
    return network


def test_signals_are_left_out():
    stage = replace(STAGE, kernel_size=(3,), stride=(1,), padding=(1,), dilation=(1,), pool_size=(2,))

    def conv(input_size: Any, padding_mode: str, **rest: Any):
        return nn.Conv1d(**rest)

    with pytest.raises(LeftOutError, match="it sees signals of 1 dimension, and a page shows images"):
        lower(make(conv, input_shape=(1, 16), stages=(stage,)))


def test_a_large_network_that_fits_is_kept():
    wide = replace(STAGE, channels=1000)
    lowered = lower(make(partial(LocallyConnected2d, bias="channel"), stages=(wide,), readout="global_avg"))
    assert MAX_WEIGHTS / 2 < len(lowered.weights.content) <= MAX_WEIGHTS
    assert lowered.multiply_adds == 64 * 1000 * 9 + 3000


@pytest.mark.parametrize("wiring", [Conv2d, nn.Conv2d])
def test_a_convolution_of_torch_is_a_convolution(wiring):
    def make_layer(input_size: Any, **rest: Any):
        return wiring(**rest) if wiring is nn.Conv2d else wiring(input_size=input_size, **rest)

    assert [layer.op for layer in lower(make(make_layer)).layers] == ["conv", "activation", "flatten", "linear"]
    assert SKELETON.activation == "relu"
