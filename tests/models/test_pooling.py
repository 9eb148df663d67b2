"""Laws of anti-aliased and adaptive pooling."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from convexp.geometry.skeleton import Skeleton, Stage
from convexp.layers import Conv2d
from convexp.models import Network
from convexp.models.parts import pool
from convexp.models.pooling import AdaptivePolyphase, Blur, DenseMax, binomial_filter

few = settings(deadline=None, max_examples=25)
POOLS = ("max", "avg", "blur", "max_blur", "aps", "max_aps")
BORDERS = ("zeros", "reflect", "replicate", "circular")
STAGE = Stage(3, (3, 3), (1, 1), (1, 1), (1, 1), "circular", "aps", (2, 2))
odd = st.sampled_from([1, 3, 5])
strides = st.tuples(st.integers(1, 3), st.integers(1, 3))
halves = st.tuples(st.integers(2, 4), st.integers(2, 4))
shifts = st.tuples(st.integers(-9, 9), st.integers(-9, 9))
seeds = st.integers(0, 99)


def drawn(stride, half, seed, channels=2):
    """A random map whose size is a multiple of the stride, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    size = [n * m for n, m in zip(stride, half, strict=True)]
    return torch.randn(3, channels, *size, generator=generator, dtype=torch.float64)


def rolled(x, shift):
    return x.roll(shift, (2, 3))


def pooling(kind, **more):
    return pool(replace(STAGE, pool=kind, **more))["pool"].double()


@few
@given(odd, odd)
def test_the_filter_sums_to_one_and_is_repeated_averaging(k1, k2):
    kernel = binomial_filter((k1, k2))
    assert kernel.sum() == 1
    assert torch.equal(kernel, kernel.flip(0, 1))
    once = torch.zeros(1, 1, 2 * k1 - 1, 2 * k2 - 1)
    once[..., k1 - 1, k2 - 1] = 1
    for _ in range(k1 - 1):
        once = F.avg_pool2d(once, (2, 1), 1)
    for _ in range(k2 - 1):
        once = F.avg_pool2d(once, (1, 2), 1)
    assert torch.equal(once[0, 0], kernel)


@few
@given(odd, strides, st.sampled_from(BORDERS[1:]), st.floats(-9, 9))
def test_a_blur_keeps_constants_at_every_border_but_zeros(k, stride, border, value):
    x = torch.full((1, 2, 7, 9), value, dtype=torch.float64)
    y = Blur((k, k), stride, border).double()(x)
    torch.testing.assert_close(y, torch.full_like(y, value))


@few
@given(odd, strides, halves, shifts, seeds)
def test_a_circular_blur_is_equivariant_to_multiples_of_its_stride(k, stride, half, shift, seed):
    x, blur = drawn(stride, half, seed), Blur((k, k), stride, "circular").double()
    moved = rolled(x, tuple(n * m for n, m in zip(stride, shift, strict=True)))
    torch.testing.assert_close(blur(moved), rolled(blur(x), shift))


@few
@given(strides, halves, shifts, seeds)
def test_a_circular_dense_maximum_is_equivariant_to_every_shift(window, half, shift, seed):
    x, dense = drawn(window, half, seed), DenseMax(window, "circular")
    assert torch.equal(dense(rolled(x, shift)), rolled(dense(x), shift))
    assert bool((dense(x) >= x).all())


@few
@given(strides, halves, shifts, seeds)
def test_adaptive_sampling_moves_by_whole_units(stride, half, shift, seed):
    x, aps = drawn(stride, half, seed), AdaptivePolyphase(stride)
    y, moved = aps(x), aps(rolled(x, shift))
    for image, other in zip(y, moved, strict=True):
        moves = [image.roll((i, j), (1, 2)) for i in range(half[0]) for j in range(half[1])]
        assert any(torch.equal(each, other) for each in moves)
    whole = tuple(n * m for n, m in zip(stride, shift, strict=True))
    assert torch.equal(aps(rolled(x, whole)), rolled(y, shift))


@few
@given(strides, halves, seeds)
def test_adaptive_sampling_keeps_the_component_with_the_largest_norm(stride, half, seed):
    x = drawn(stride, half, seed)
    parts = [x[:, :, a :: stride[0], b :: stride[1]] for a in range(stride[0]) for b in range(stride[1])]
    norms = torch.stack([part.flatten(1).norm(dim=1) for part in parts])
    y = AdaptivePolyphase(stride)(x)
    torch.testing.assert_close(y.flatten(1).norm(dim=1), norms.amax(0))
    assert all(any(torch.equal(part[i], y[i]) for part in parts) for i in range(len(x)))


def test_of_equal_components_the_first_is_kept():
    x = torch.tensor([[[1.0, -1.0, 1.0, -1.0]]])  # both components have the norm of (1, 1)
    assert AdaptivePolyphase((2,))(x).tolist() == [[[1.0, 1.0]]]


@few
@given(st.sampled_from(POOLS), strides, halves, st.sampled_from(BORDERS), odd)
def test_every_pooling_returns_as_many_units(kind, stride, half, border, k):
    stage = replace(STAGE, pool=kind, pool_size=stride, padding_mode=border, blur_size=(k, k))
    x = drawn(stride, half, 0, channels=3)
    if border == "reflect" and kind.endswith("blur") and k // 2 >= min(x.shape[2:]):
        return
    assert pooling(kind, pool_size=stride, padding_mode=border, blur_size=(k, k))(x).shape[2:] == half
    assert stage.output_size(tuple(x.shape[2:])) == half


@pytest.mark.parametrize("kind", ["max", "avg", "blur", "max_blur"])
def test_what_does_not_divide_is_rounded_down_alike(kind):
    x = torch.randn(2, 3, 7, 8, dtype=torch.float64)
    assert pooling(kind, pool_size=(2, 3))(x).shape == (2, 3, 3, 2)
    assert replace(STAGE, pool=kind, pool_size=(2, 3)).output_size((7, 8)) == (3, 2)


@pytest.mark.parametrize("kind", POOLS)
def test_receptive_fields_cover_what_a_unit_sees(kind):
    stage = replace(STAGE, kernel_size=(1, 3), padding=(0, 1), pool=kind, pool_size=(3, 2), blur_size=(5, 3))
    network = Network(Skeleton((1, 24, 24), 2, (stage,), "flatten", (), "none", "none", True), Conv2d, [0.0], [1.0]).double()
    x = torch.randn(1, 1, 24, 24, dtype=torch.float64, requires_grad=True)
    network.features(x)[0][0, :, 4, 6].sum().backward()
    seen = x.grad.abs()[0, 0].nonzero()
    for dim, (field, unit) in enumerate(zip(network.skeleton.receptive_fields()[0], (4, 6), strict=True)):
        first = field.first + unit * field.stride
        low, high = int(seen[:, dim].min()), int(seen[:, dim].max())
        assert first <= low
        assert high <= first + field.size - 1
        if kind in ("avg", "blur"):
            assert (low, high) == (first, first + field.size - 1)


@few
@given(st.sampled_from(["aps", "max_aps"]), st.sampled_from(["global_avg", "global_max"]), shifts, seeds)
def test_adaptive_sampling_makes_networks_exactly_invariant(kind, readout, shift, seed):
    torch.manual_seed(seed)
    stages = (replace(STAGE, pool=kind),) * 2
    network = Network(Skeleton((1, 8, 12), 5, stages, readout, (4,), "tanh", "none", True), Conv2d, [0.0], [0.01]).double()
    x = torch.randint(0, 256, (4, 1, 8, 12), dtype=torch.uint8)
    torch.testing.assert_close(network(rolled(x, shift)), network(x), rtol=0, atol=1e-12)


def test_one_dimension_and_gradients():
    for kind in POOLS:
        module = pool(Stage(3, (3,), (1,), (1,), (1,), "circular", kind, (2,)))["pool"].double()
        x = torch.randn(2, 3, 8, dtype=torch.float64, requires_grad=True)
        assert module(x).shape == (2, 3, 4)
        assert torch.autograd.gradcheck(module, (x,))
        assert list(module.state_dict()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pool": "aps", "pool_size": (2, 3)}, "pool_size=3 should divide the 8 units that pool=aps compares parts of"),
        ({"pool": "max_aps", "pool_size": (9, 1)}, "pool_size=9 is larger than the 8 units it pools"),
        ({"pool": "blur", "blur_size": (4, 3)}, "blur_size=4 should be odd"),
        ({"pool": "blur", "blur_size": (3, 19)}, "blur_size=19 is too large for 8 units with padding_mode=circular"),
        ({"pool": "max_blur", "blur_size": (17, 3), "padding_mode": "reflect"}, "blur_size=17 is too large for 8 units"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(STAGE, **changes).output_size((8, 8))


def test_filters_that_have_no_centre_and_unknown_borders_are_refused():
    with pytest.raises(ValueError, match="taps=\\(2, 2\\): should be an odd number"):
        Blur((2, 2), (2, 2), "zeros")
    for make in (lambda: Blur((3, 3), (2, 2), "wrap"), lambda: DenseMax((2, 2), "wrap")):
        with pytest.raises(ValueError, match="wrap"):
            make()


@pytest.mark.parametrize("size", [(7, 8), (8,)])
def test_adaptive_sampling_names_a_size_that_does_not_divide(size):
    with pytest.raises(ValueError, match=r"the map has the size \(.*\); should be divisible by stride=\(2, 2\)"):
        AdaptivePolyphase((2, 2))(torch.zeros(1, 3, *size))
