"""The inverse participation ratio is 1 for one pixel, 1/n for n alike, and between them otherwise."""

import pytest
import torch
from cases import matrix
from hypothesis import given
from hypothesis import strategies as st
from nets import few, make, textures
from torch import nn

from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d
from convexp.layers.dense import Dense1d
from convexp.probes import NotApplicableError
from convexp.probes.structure.inverse_participation_ratio import InverseParticipationRatio, participation


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def ratios(layer):
    return participation(layer.taps(), layer.out_channels)[0]


WIRINGS = [Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d]


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("channels", [1, 3])
def test_equal_weights_have_one_over_n_and_a_single_pixel_has_one(wiring, channels):
    layer = wiring(channels, 2, 3, 5)
    layer.weight.fill_(0.3)
    found, pixels = participation(layer.taps(), 2)
    assert torch.allclose(found, (1 / pixels)[:, None].expand_as(found))
    layer.weight.zero_()
    assert bool(ratios(layer).isnan().all())
    middle = [n // 2 for n in layer.weight.shape[2:]] if wiring is GlobalConv2d else [0] * (layer.weight.dim() - 2)
    layer.weight[0, 0, *middle] = -2  # of a global convolution the middle, which every unit sees
    only = ratios(layer)
    assert torch.allclose(only[~only.isnan()], torch.ones(()).double())
    assert 0 < len(only[~only.isnan()]) < only.numel()


@few
@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_it_is_the_formula_for_every_row_of_a_dense_layer(channels, units, seed):
    torch.manual_seed(seed)
    layer = Dense2d(channels, units, 3, 4, padding=1).double()
    energy = matrix(layer).square().unflatten(1, (channels, -1)).sum(1)  # (O*L, P)
    expected = (energy.square().sum(1) / energy.sum(1).square()).unflatten(0, (units, -1)).T  # (L, O)
    assert torch.allclose(ratios(layer), expected)


@pytest.mark.parametrize(("kernel", "size", "met"), [(5, 2, 3), (5, 3, 5), (7, 2, 3), (3, 1, 1)])
def test_weights_of_a_convolution_that_meet_only_the_border_do_not_count(kernel, size, met):
    torch.manual_seed(0)
    layer = Conv2d(2, 3, kernel, size, padding="same")
    middle = slice(kernel // 2 - met // 2, kernel // 2 + met // 2 + 1)  # the taps that some location has upon the image
    energy = layer.weight.double()[..., middle, middle].square().sum(1).flatten(1)
    found, _ = participation(layer.taps(), 3)
    assert torch.allclose(found[0], energy.square().sum(1) / energy.sum(1).square())


@few
@given(st.integers(1, 3), st.integers(0, 99))
def test_it_lies_between_one_over_n_and_one_and_has_no_unit(channels, seed):
    torch.manual_seed(seed)
    layer = LocallyConnected2d(channels, 2, 3, 6, padding=1)
    found, pixels = participation(layer.taps(), 2)
    assert (found <= 1 + 1e-12).all()
    assert (found >= (1 / pixels)[:, None] - 1e-12).all()
    layer.weight.mul_(-7)
    assert torch.allclose(ratios(layer), found)


@pytest.mark.parametrize("channels", [1, 2])
def test_random_weights_have_what_is_said(channels):
    torch.manual_seed(0)
    layer = Dense1d(channels, 4000, 3, 10, stride=8)
    layer.weight.normal_()
    network = nn.Sequential(layer)
    sample = textures()
    found = InverseParticipationRatio().measure(
        network, type(sample)(torch.zeros(2, channels, 10), torch.zeros(2, dtype=torch.long))
    )
    assert found.numbers["0/random"] == pytest.approx((channels + 2) / (10 * channels + 2))
    assert found.numbers["0/mean"] == pytest.approx(found.numbers["0/random"], rel=0.02)
    assert found.numbers["0/uniform"] == pytest.approx(0.1)


def test_a_network_tells_of_its_layers_and_of_units_without_weights():
    network = make(LocallyConnected2d)
    layer = network.stages[0].wiring
    layer.weight.zero_()
    layer.weight[0].normal_()
    found = InverseParticipationRatio().measure(network, textures())
    assert set(found.numbers) == {f"stages.0/{name}" for name in ("mean", "max", "uniform", "random")}
    units = found.maps["units"]["stages.0"]
    assert any(value is None for row in units for value in row)
    known = [value for row in units for value in row if value is not None]
    assert found.numbers["stages.0/mean"] == pytest.approx(sum(known) / len(known))
    assert found.numbers["stages.0/max"] == max(known)
    layer.weight.zero_()
    with pytest.raises(NotApplicableError, match="all weights are zero"):
        InverseParticipationRatio().measure(network, textures())
