"""The share of different weights is one over the locations for a convolution, and one where nothing is shared."""

import pytest
import torch
from cases import matrix
from hypothesis import given
from hypothesis import strategies as st
from nets import few

from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, as_dense, as_local
from convexp.probes.structure.distinct_weights import distinct_share
from convexp.training.weight_sharing import pull_together


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


@few
@given(
    st.sampled_from([Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d]),
    st.integers(1, 3),
    st.integers(0, 1),
    st.integers(0, 99),
)
def test_it_counts_the_entries_of_the_matrix_that_is_the_layer(wiring, channels, padding, seed):
    torch.manual_seed(seed)
    layer = wiring(channels, 2, 3, 5, padding=padding).double()
    entries = matrix(layer)
    connected = entries[entries != 0]  # drawn weights are never exactly zero
    assert distinct_share(layer.taps()) == len(connected.unique()) / len(connected)


@few
@given(st.integers(1, 3), st.integers(0, 99))
def test_a_convolution_has_one_over_its_locations_in_every_form(channels, seed):
    torch.manual_seed(seed)
    layer = Conv2d(channels, 2, 3, 6)
    assert distinct_share(layer.taps()) == pytest.approx(1 / layer.locations)
    assert distinct_share(as_local(layer).taps()) == pytest.approx(1 / layer.locations)
    zeros_and_kernel = layer.weight.numel() + 1
    assert distinct_share(as_dense(layer).taps()) == pytest.approx(zeros_and_kernel / (36 * channels * layer.locations * 2))


def test_pulling_weights_together_makes_fewer_and_in_the_end_one():
    torch.manual_seed(0)
    layer = LocallyConnected2d(1, 2, 3, 6)
    shares = [distinct_share(layer.taps())]
    for t in (0.01, 0.03, 100.0):
        layer.weight.copy_(pull_together(layer.weight, t))
        shares.append(distinct_share(layer.taps()))
    assert shares == sorted(shares, reverse=True)
    assert shares[1] < shares[0] == 1
    assert shares[-1] == 1 / layer.weight.numel()
