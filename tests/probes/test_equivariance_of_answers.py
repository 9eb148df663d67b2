"""The equivariance error of the answer, of a network and of a mean over networks alike."""

import itertools
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nets import STAGE, constant, make, textures
from torch import nn

from convexp.models import Ensemble
from convexp.probes import measure
from convexp.probes.behaviour.equivariance import Equivariance
from convexp.probes.predict import logits

REACH = 1
probe = Equivariance(max_shift=REACH, max_images=9, protocol="circular")
sample = textures(9)
seeds = st.integers(0, 99)
ANSWERS = {"outputs": "logits", "probabilities": "softmax"}  # the mean over members, by what the mean is of


some = settings(deadline=None, max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def _without_gradients_and_pictures(monkeypatch):
    monkeypatch.setattr("convexp.probes.behaviour.equivariance.line_plot", lambda *_: torch.zeros(3, 1, 1, dtype=torch.uint8))
    with torch.no_grad():
        yield


def answers(network, shift=None):
    """What a network answers, by its name: ``logits`` and ``softmax``, (N, classes)."""
    found = logits(network, sample, shift, "circular").double()
    return {"logits": found, "softmax": found.softmax(1)}


def errors(network, answer):
    """``E‖f(T x) - f(x)‖`` by shift, from the relative error."""
    scale = answers(network)[answer].norm(dim=1).mean()
    return torch.tensor(probe.measure(network, sample).maps[answer]["full"], dtype=torch.float64) * scale


def members(seed, count=3):
    return [make(seed=seed + 100 * member) for member in range(count)]


@some
@given(seeds)
def test_it_is_the_mean_over_shifts_of_the_relative_change(seed):
    network = make(seed=seed)
    numbers = probe.measure(network, sample).numbers
    before = answers(network)
    for answer in ANSWERS.values():
        changes = [
            (answers(network, shift)[answer] - before[answer]).norm(dim=1).mean()
            for shift in itertools.product(range(-REACH, REACH + 1), repeat=2)
            if any(shift)
        ]
        expected = float(torch.stack(changes).mean() / before[answer].norm(dim=1).mean())
        assert numbers[f"{answer}/full"] == pytest.approx(expected, rel=1e-4)


@some
@given(seeds, st.sampled_from([*ANSWERS]))
def test_an_exactly_invariant_network_has_none_and_so_has_a_mean_of_them(seed, mean_of):
    kinds = {"stages": (replace(STAGE, padding_mode="circular"),), "readout": "global_avg"}
    invariant = [make(seed=seed + member, **kinds) for member in range(2)]
    for network in (invariant[0], Ensemble(invariant, mean_of)):
        numbers = probe.measure(network, sample).numbers
        assert max(numbers["logits/full"], numbers["softmax/full"]) < 1e-5
        assert numbers["logits/full_control"] > 1e-4
    assert probe.measure(constant(1), sample).numbers["logits/full"] == 0


@some
@given(seeds)
def test_the_mean_of_one_is_the_network_and_has_no_maps(seed):
    network = make(seed=seed)
    alone, mean = (probe.measure(each, sample) for each in (network, Ensemble([network])))
    assert mean.numbers == {name: value for name, value in alone.numbers.items() if not name.startswith("stages")}
    assert mean.maps == {answer: alone.maps[answer] for answer in ANSWERS.values()}
    of_probabilities = probe.measure(Ensemble([network], "probabilities"), sample).numbers
    assert of_probabilities["softmax/full"] == pytest.approx(alone.numbers["softmax/full"], rel=1e-4)


@some
@given(seeds, st.sampled_from([*ANSWERS]))
def test_the_mean_errs_by_no_more_than_its_members_do_in_the_mean(seed, mean_of):
    """A norm is convex (Jensen). It holds at every shift for the error that is not relative."""
    single = torch.stack([errors(network, ANSWERS[mean_of]) for network in members(seed)])
    of_mean = errors(Ensemble(members(seed), mean_of), ANSWERS[mean_of])
    assert bool((of_mean <= single.mean(0) * (1 + 1e-4)).all())
    assert float(of_mean.sum()) < float(single.mean(0).sum())


class Erring(nn.Module):
    """An answer that is the same for all images, and an error of mean zero that is not: a random linear function of them."""

    def __init__(self, seed):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weight = torch.randn(64, 20, generator=generator, dtype=torch.float64)

    def forward(self, images):
        return 1e6 + images.double().flatten(1) @ self.weight


@pytest.mark.parametrize("count", [4, 25])
def test_independent_errors_around_an_invariant_mean_fall_as_one_over_the_root_of_the_members(count):
    networks = [Erring(seed) for seed in range(count)]
    alone = sum(probe.measure(network, sample).numbers["logits/full"] for network in networks) / count
    mean = probe.measure(Ensemble(networks), sample).numbers["logits/full"]
    assert mean**2 * count == pytest.approx(alone**2, rel=0.2)  # the square falls as 1 / members


def test_a_network_without_maps_has_an_answer():
    flat = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    found = measure(flat, sample.images.float(), sample.labels, probe)
    assert found.numbers["equivariance/logits/full"] > 0
    assert [*found.maps["equivariance/not_measured"]] == ["0", "1"]
