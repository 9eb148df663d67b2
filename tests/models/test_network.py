from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from convexp.geometry.skeleton import Skeleton, Stage
from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.models import Network
from convexp.models.parts import ReadoutLayer

few = settings(deadline=None, max_examples=30)
WIRINGS = (Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d)
WIDE = Stage(4, (3, 3), (1, 1), (1, 1), (1, 1), "zeros", "none", (2, 2))
STRIDED = Stage(6, (5, 3), (2, 2), (2, 1), (1, 1), "circular", "max", (2, 2))
SKELETON = Skeleton((3, 8, 8), 10, (WIDE, STRIDED), "flatten", (5,), "relu", "none", True)
MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.3, 0.4]


def make(wiring: Any = Conv2d, seed: int = 0, **changes: Any) -> Network:
    torch.manual_seed(seed)
    return Network(replace(SKELETON, **changes), wiring, MEAN, STD)


def pixels(n: int = 4, size: tuple[int, ...] = (8, 8)) -> Tensor:
    return torch.randint(0, 256, (n, 3, *size), dtype=torch.uint8)


def parameters(network: Network, *names: str) -> int:
    return sum(p.numel() for name, p in network.named_parameters() if any(n in name for n in names or ("",)))


@st.composite
def skeletons(draw: st.DrawFn) -> Skeleton:
    def stage() -> Stage:
        half, dilation = draw(st.tuples(*[st.integers(0, 1)] * 2)), draw(st.integers(1, 2))
        pool = draw(st.sampled_from(["none", "max", "avg"]))
        return Stage(
            channels=draw(st.integers(1, 3)),
            kernel_size=tuple(2 * n + 1 for n in half),
            stride=draw(st.tuples(*[st.integers(1, 2)] * 2)),
            padding=tuple(dilation * n for n in half),
            dilation=(dilation, dilation),
            padding_mode=draw(st.sampled_from(["zeros", "circular"])),
            pool=pool,  # type: ignore[arg-type]
            pool_size=draw(st.tuples(*[st.integers(1, 2)] * 2)),
        )

    size = draw(st.tuples(*[st.integers(16, 18)] * 2))
    readout = draw(st.sampled_from(["flatten", "global_avg", "global_max"]))
    hidden = tuple(draw(st.lists(st.integers(1, 5), max_size=2)))
    return Skeleton((3, *size), draw(st.integers(2, 5)), (stage(), stage()), readout, hidden, "relu", "none", True)


@few
@given(skeletons(), st.integers(0, 3))
def test_all_wirings_have_the_same_hidden_units(skeleton, n):
    units = []
    for wiring in WIRINGS:
        network = Network(skeleton, wiring, MEAN, STD)
        shapes: list[tuple[int, ...]] = []
        for stage in network.stages:
            stage.register_forward_hook(lambda _m, _i, out, shapes=shapes: shapes.append(tuple(out.shape[1:])))
        assert network(pixels(n, skeleton.input_shape[1:])).shape == (n, skeleton.classes)
        units.append(shapes)
    expected = [(stage.channels, *size) for stage, size in zip(skeleton.stages, skeleton.sizes()[1:], strict=True)]
    assert units == [expected] * len(WIRINGS)


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize(
    "changes",
    [
        *({"norm": name} for name in ("none", "batch", "batch_unit")),
        *({"activation": name} for name in ("relu", "gelu", "tanh", "none")),
        *({"stages": (replace(WIDE, pool=name), STRIDED)} for name in ("none", "max", "avg", "max_blur", "max_aps")),
        *({"readout": name} for name in ("flatten", "global_avg", "global_max")),
        {"bias": False},
        {"hidden": ()},
        {"hidden": (7, 3), "norm": "batch"},
        {"stages": ()},
    ],
    ids=str,
)
def test_every_variant_learns(wiring, changes):
    network = make(wiring, **changes)
    logits = network(pixels())
    assert logits.shape == (4, 10)
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert all(bool((p.grad != 0).any()) for name, p in network.named_parameters() if "classes.weight" in name)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "none"])
def test_activation(name):
    network = make(activation=name, hidden=(), stages=(WIDE,))
    h = torch.randn(2, 4, 8, 8)
    own = {"tanh": torch.tanh, "none": torch.clone}
    expected = (own.get(name) or getattr(nn.functional, name))(h)
    assert torch.equal(network.stages[0][1:](h), expected)


@given(st.sampled_from(WIRINGS), st.floats(1e-6, 100), st.integers(0, 99))
def test_init_scale_is_a_factor_of_the_initial_weights_but_of_the_output_layer(wiring, factor, seed):
    """Biases stay, so do the random numbers: what is drawn does not depend on the factor."""
    plain, scaled = (make(wiring, seed, init_scale=scale, norm="batch").state_dict() for scale in (1.0, factor))
    for name, value in plain.items():
        is_scaled = (".wiring." in name or ".linear." in name) and not name.endswith(("bias", "combination"))
        assert torch.equal(scaled[name], value * factor if is_scaled else value), name
    assert sum(".wiring." in name or ".linear." in name for name in plain) >= 5


@pytest.mark.parametrize("softmax", [False, True])
@pytest.mark.parametrize("wiring", WIRINGS)
def test_init_scale_is_a_factor_of_the_kernels_however_a_layer_comes_by_them(wiring, softmax):
    if wiring is LowRankLocallyConnected2d:
        wiring = partial(wiring, rank=2, softmax=softmax)
    plain, scaled = (make(wiring, init_scale=scale) for scale in (1.0, 0.1))
    for one, other in zip(plain.stages, scaled.stages, strict=True):
        torch.testing.assert_close(other.wiring.kernels(), 0.1 * one.wiring.kernels())


@given(st.floats(0, 3), st.integers(0, 99))
def test_lsa_lets_pass_what_exceeds_its_threshold(threshold, seed):
    """It is soft thresholding, the identity at the threshold 0 with which it starts."""
    h = torch.randn(50, generator=torch.Generator().manual_seed(seed))
    lsa = make(activation="lsa").stages[0].activation
    assert torch.equal(lsa(h), h)
    lsa.threshold.data.fill_(threshold)
    torch.testing.assert_close(lsa(h), nn.functional.softshrink(h, threshold))


def test_a_stage_is_wiring_norm_activation_pool():
    network = make(norm="batch", stages=(replace(WIDE, pool="max"),))
    assert [name for name, _ in network.stages[0].named_children()] == ["wiring", "norm", "activation", "pool"]
    assert [name for name, _ in network.head.hidden0.named_children()] == ["linear", "norm", "activation"]


@few
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 9))
def test_global_readouts_ignore_where_things_are(height, width, seed):
    torch.manual_seed(seed)
    x = torch.randn(2, 3, height, width, dtype=torch.float64)
    order = torch.randperm(height * width)
    shuffled = x.flatten(2)[..., order].view_as(x)
    for kind, expected in (("global_avg", x.mean((2, 3))), ("global_max", x.amax((2, 3)))):
        readout = ReadoutLayer(kind)  # type: ignore[arg-type]
        torch.testing.assert_close(readout(x), expected)
        torch.testing.assert_close(readout(shuffled), readout(x))
    assert torch.equal(ReadoutLayer("flatten")(x), x.reshape(2, -1))


@pytest.mark.parametrize("wiring", [Conv2d, GlobalConv2d])
@pytest.mark.parametrize(("readout", "invariant"), [("global_avg", True), ("global_max", True), ("flatten", False)])
def test_invariance_comes_from_the_readout(wiring, readout, invariant):
    stages = (replace(WIDE, padding_mode="circular"),) * 2
    network = make(wiring, stages=stages, readout=readout).double()
    x = pixels()
    difference = (network(torch.roll(x, (2, -3), (2, 3))) - network(x)).abs().max()
    assert (difference < 1e-12) == invariant


@pytest.mark.parametrize("wiring", [Dense2d, LocallyConnected2d])
def test_weights_per_location_are_not_invariant(wiring):
    network = make(wiring, stages=(replace(WIDE, padding_mode="circular"),), readout="global_avg").double()
    x = pixels()
    assert (network(torch.roll(x, 1, 3)) - network(x)).abs().max() > 1e-6


@pytest.mark.parametrize(
    ("norm", "expected"), [("none", 0), ("batch", 2 * (4 + 6 + 5)), ("batch_unit", 2 * (4 * 64 + 6 * 16 + 5))]
)
@pytest.mark.parametrize("wiring", [Conv2d, LocallyConnected2d])
def test_parameters_of_batch_norm(wiring, norm, expected):
    network = make(wiring, norm=norm)  # stage 1 pools after the norm: 6 channels of 4x4
    assert parameters(network) - parameters(make(wiring)) == expected
    assert parameters(network, "norm") == expected


@pytest.mark.parametrize(("norm", "shared"), [("batch", (0, 2, 3)), ("batch_unit", (0,))])
def test_batch_norm_standardises_over_what_it_shares(norm, shared):
    network = make(norm=norm, activation="none", stages=(WIDE,))
    x = network.stages[0](network.normalize(pixels(50)))
    assert x.mean(shared).abs().max() < 1e-5
    torch.testing.assert_close(x.var(shared, correction=0), torch.ones_like(x.mean(shared)), rtol=0, atol=1e-2)
    each = x.var(0, correction=0)
    assert (bool((each - 1).abs().max() < 1e-2)) == (norm == "batch_unit")


@few
@given(st.integers(1, 3), st.integers(0, 9), st.floats(0, 1), st.floats(0.01, 1))
def test_normalize(dims, seed, mean, std):
    torch.manual_seed(seed)
    stages = ()
    network = Network(replace(SKELETON, input_shape=(2, *(3,) * dims), stages=stages), Conv2d, [mean, 0.5], [std, 0.1])
    x = torch.randint(0, 256, (4, 2, *(3,) * dims), dtype=torch.uint8)
    shape = (1, 2, *(1,) * dims)
    expected = (x / 255 - torch.tensor([mean, 0.5]).view(shape)) / torch.tensor([std, 0.1]).view(shape)
    torch.testing.assert_close(network.normalize(x), expected, rtol=1e-5, atol=1e-4)
    assert network.normalize(x).dtype == torch.float32


@pytest.mark.parametrize("wiring", WIRINGS)
def test_bytes_and_floats_are_the_same_pixels(wiring):
    network, x = make(wiring), pixels()
    assert torch.equal(network(x), network(x.float()))


def test_normalisation_is_kept_with_the_weights():
    state = make().state_dict()
    other = Network(SKELETON, Conv2d, [0.0] * 3, [1.0] * 3)
    other.load_state_dict(state)
    x = pixels()
    assert torch.equal(other(x), make()(x))


@pytest.mark.parametrize("wiring", WIRINGS)
def test_without_bias_nothing_comes_from_nothing(wiring):
    network = make(wiring, bias=False).double()
    mean = network.normalize.offset / network.normalize.scale  # the pixel that is normalised to 0
    assert network(mean.expand(1, 3, 8, 8)).abs().max() < 1e-9
    assert network(pixels().double()).abs().max() > 1e-3
    assert parameters(network, "bias") == 0
    assert parameters(make(wiring), "bias") > 0


def test_the_wiring_keeps_its_own_kind_of_bias():
    channel = partial(LocallyConnected2d, bias="channel")
    assert parameters(make(LocallyConnected2d), "wiring.bias") == 4 * 64 + 6 * 16
    assert parameters(make(channel), "wiring.bias") == 4 + 6
    assert parameters(make(channel, bias=False), "wiring.bias") == 0


@pytest.mark.parametrize("wiring", WIRINGS)
def test_empty_batch(wiring):
    assert make(wiring)(pixels(0)).shape == (0, 10)


def conv1d(in_channels: int, out_channels: int, kernel_size: Any, input_size: Any, stride: Any, padding: Any, **more: Any):
    return nn.Conv1d(in_channels, out_channels, kernel_size, stride, padding, **more)


@pytest.mark.parametrize("norm", ["none", "batch", "batch_unit"])
@pytest.mark.parametrize("pool", ["none", "max", "avg"])
@pytest.mark.parametrize("readout", ["flatten", "global_avg", "global_max"])
def test_one_dimension(norm, pool, readout):
    stage = Stage(4, (3,), (2,), (1,), (1,), "zeros", pool, (2,))
    network = make(conv1d, input_shape=(3, 17), stages=(stage, stage), norm=norm, readout=readout)
    shapes: list[tuple[int, ...]] = []
    for module in network.stages:
        module.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[2:])))
    assert network(pixels(4, (17,))).shape == (4, 10)
    assert ((17,), *shapes) == network.skeleton.sizes()


def test_wired_layers_are_those_of_the_stages():
    network = make(LocallyConnected2d)
    named = network.wired_layers()
    assert [name for name, _ in named] == ["stages.0", "stages.1"]
    assert all(isinstance(layer, LocallyConnected2d) for _, layer in named)
    assert [layer.out_channels for _, layer in named] == [4, 6]
    assert make(stages=()).wired_layers() == []


def test_a_network_is_a_function_of_its_parameters():
    x = pixels()
    assert torch.equal(make(seed=1)(x), make(seed=1)(x))
    assert not torch.equal(make(seed=1)(x), make(seed=2)(x))
    network = make(seed=2)
    assert torch.equal(torch.func.functional_call(network, dict(make(seed=1).named_parameters()), (x,)), make(seed=1)(x))
