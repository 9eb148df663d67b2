"""Imitation: the layer that is imitated has the rank that it should, and a layer of that rank can compute the same."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from convexp.models.one_layer import OneLayer
from convexp.training.tasks.imitation import Imitation, random_layer

LENGTH = 24


def kernels(matrix, taps):
    """The kernel of each unit, ``(L, taps)``, and what the other weights of the matrix come to."""
    rolled = torch.stack([row.roll(taps // 2 - i) for i, row in enumerate(matrix)])
    return rolled[:, :taps], float(rolled[:, taps:].abs().max())


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.sampled_from([5, 7]), st.integers(0, 2**31))
def test_the_kernels_of_all_places_are_mixtures_of_as_many_as_the_rank(rank, taps, seed):
    matrix = random_layer(LENGTH, taps, rank, seed).double()
    found, outside = kernels(matrix, taps)
    assert outside == 0
    assert int(torch.linalg.matrix_rank(found, rtol=1e-5)) == rank
    assert torch.equal(matrix.float(), random_layer(LENGTH, taps, rank, seed))
    assert torch.allclose(found[1:], found[:-1]) == (rank == 1)  # a convolution
    assert float(matrix.square().sum(1).mean()) == pytest.approx(1, rel=1e-5)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.integers(0, 2**31))
def test_outputs_of_zero_have_a_loss_of_one_on_white_signals(rank, seed):
    task = Imitation(nn.Identity(), shape=[1, LENGTH], rank=rank, levels=20, seed=seed)
    white = 128 + 20 * torch.randn(4000, 1, LENGTH, generator=torch.Generator().manual_seed(seed))
    batch, outputs = (white, torch.zeros(4000)), torch.zeros(4000, LENGTH)
    assert float(task.loss(outputs, batch)) == pytest.approx(1, abs=0.1)
    assert float(task.measure(outputs, batch)["loss"].mean()) == pytest.approx(float(task.loss(outputs, batch)))
    with torch.autocast("cpu", torch.bfloat16):  # the layer is computed in full precision in a run of any
        assert float(task.loss(task.targets_of(white), batch)) == 0
        targets = task.targets_of(white)
    assert torch.equal(task.targets_of(white), targets)


@pytest.mark.parametrize("kind", ["dense", "local", "low_rank_local", "conv"])
def test_every_layer_with_the_kernels_of_a_convolution_imitates_it(kind):
    taps = 5
    task = Imitation(nn.Identity(), shape=[1, LENGTH], kernel_size=taps, levels=1, seed=3)
    kernel = kernels(task.matrix, taps)[0][0]
    network = OneLayer((1, LENGTH), LENGTH, kind, taps)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        if kind == "dense":
            network.layer.weight.copy_(task.matrix)
        elif kind == "local":
            network.layer.kernel.copy_(kernel.expand_as(network.layer.kernel))
        else:
            network.layer.weight.copy_(kernel.expand_as(network.layer.weight))
        if kind == "low_rank_local":
            network.layer.combination.fill_(1)
        signals = torch.randint(0, 256, (6, 1, LENGTH)).float()
        assert float(task.loss(network(signals - 128), (signals, torch.zeros(6)))) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("shape", "kind", "said"), [((1, 9), "conv", "outputs=8"), ((2, 8), "conv", "outputs=8"), ((1, 8), "sparse", "kind=sparse")]
)
def test_another_shape_or_layer_is_refused(shape, kind, said):
    with pytest.raises(ValueError, match=said):
        OneLayer(shape, 8, kind)
