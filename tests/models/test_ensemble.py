"""The mean over networks: one of one, of equal ones, and of all shifts of one, which is exactly invariant."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import make
from torch import nn
from torch.nn import functional as F

from convexp.models import Ensemble
from convexp.models.representations import layout, representations
from convexp.probes import measure

SIDE = 5
images = torch.randint(256, (3, 1, SIDE, SIDE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
some = settings(deadline=None, max_examples=10)


def network(seed):
    """Dense: the two hidden units of each of five classes see all pixels."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = nn.Linear(SIDE * SIDE, 10), nn.Linear(10, 5)
    return nn.Sequential(AsFloat(), nn.Flatten(), layers[0], nn.Tanh(), layers[1]).double()


class AsFloat(nn.Module):
    def forward(self, images):
        return images.double() / 255


class Shifted(nn.Module):
    """A network of the images shifted by ``shift`` on a torus."""

    def __init__(self, network, shift):
        super().__init__()
        self.network, self.shift = network, shift

    def forward(self, images):
        return self.network(images.roll(self.shift, (2, 3)))


class Back(Shifted):
    """Equivariant in the mean: what a network makes of shifted images, shifted back."""

    def forward(self, images):
        return super().forward(images).roll([-step for step in self.shift], (2, 3))


def orbit():
    return itertools.product(range(SIDE), repeat=2)


@given(st.integers(0, 99), st.sampled_from([torch.float32, torch.float64]))
@some
def test_the_mean_over_one_network_is_that_network(seed, dtype):
    alone, x = network(seed)[1:].to(dtype), images.to(dtype)
    assert torch.equal(Ensemble([alone])(x), alone(x))


@given(st.integers(0, 99), st.integers(1, 30))
@some
def test_the_mean_over_equal_networks_is_that_network(seed, count):
    one = network(seed)
    assert torch.allclose(Ensemble([one] * count)(images), one(images), rtol=1e-14, atol=1e-15)


@given(st.lists(st.integers(0, 99), min_size=2, max_size=6))
@some
def test_the_mean_is_the_mean_in_any_order(seeds):
    members = [network(seed).requires_grad_(False) for seed in seeds]
    expected = torch.stack([member(images) for member in members]).mean(0)
    assert torch.allclose(Ensemble(members)(images), expected, atol=1e-14)
    assert torch.allclose(Ensemble(members[::-1])(images), expected, atol=1e-14)
    probabilities = torch.stack([member(images).softmax(1) for member in members]).mean(0)
    found = Ensemble(members, "probabilities")(images)
    assert torch.allclose(found.softmax(1), probabilities, atol=1e-14)
    assert float(F.cross_entropy(found, torch.tensor([0, 1, 2]))) == pytest.approx(float(-probabilities.diag().log().mean()))


def test_probabilities_of_sure_members_do_not_underflow():
    sure = nn.Linear(2, 3).requires_grad_(False)
    sure.weight.zero_()
    sure.bias.copy_(torch.tensor([1000.0, 0.0, -1000.0]))
    x = torch.zeros(1, 2)
    assert torch.allclose(Ensemble([sure, sure], "probabilities")(x), torch.log_softmax(sure(x), 1))


@pytest.mark.parametrize("mean_of", ["outputs", "probabilities"])
@given(seed=st.integers(0, 99), shift=st.tuples(st.integers(0, SIDE - 1), st.integers(0, SIDE - 1)))
@some
def test_the_mean_over_all_shifts_of_a_network_is_invariant(mean_of, seed, shift):
    one = network(seed)
    mean = Ensemble([Shifted(one, each) for each in orbit()], mean_of)
    assert torch.allclose(mean(images.roll(shift, (2, 3))), mean(images), atol=1e-13)
    assert shift == (0, 0) or not torch.allclose(one(images.roll(shift, (2, 3))), one(images), atol=1e-6)


@given(seed=st.integers(0, 99), shift=st.tuples(st.integers(0, SIDE - 1), st.integers(0, SIDE - 1)))
@some
def test_the_mean_over_all_shifts_of_a_network_and_back_is_equivariant(seed, shift):
    kernel = torch.randn(SIDE * SIDE, SIDE * SIDE, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))

    class Dense(nn.Module):
        def forward(self, images):
            return (images.double().flatten(1) @ kernel).tanh().reshape(images.shape)

    mean = Ensemble([Back(Dense(), each) for each in orbit()])
    assert torch.allclose(mean(images.roll(shift, (2, 3))), mean(images).roll(shift, (2, 3)), atol=1e-13)


def test_an_ensemble_has_an_output_and_no_layers():
    mean = Ensemble([make(seed=0), make(seed=1)])
    x = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    assert list(representations(mean, x)) == ["output"]
    assert not layout(mean, x).maps
    with pytest.raises(ValueError, match="one member or more"):
        Ensemble([])


def test_every_probe_measures_the_output_or_says_in_a_line_why_not():
    x, labels = torch.randint(256, (8, 1, 8, 8), dtype=torch.uint8), torch.arange(8) % 3
    found = measure(Ensemble([make(seed=seed) for seed in range(3)]), x, labels, "all")
    assert {"shift_map", "consistency", "errors", "flip_rate", "sensitivity_map", "invariance_by_layer"} <= found.keys()
    of_layers = {"sharing_index", "locality_index", "distance_from_conv", "kernels", "receptive_fields", "accounting"}
    assert of_layers <= found.skipped.keys()
    assert not any("members" in name for name in found.numbers)
    assert all("\n" not in reason for reason in found.skipped.values())
    assert "invariance_by_layer/output/cosine" in found.numbers
