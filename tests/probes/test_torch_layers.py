"""Probes of structure on torch's own layers: convolutions and linear layers on flattened maps, found in any network."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import is_picture, textures
from torch import nn
from torch.nn.utils import parametrize
from torchvision.models import resnet18

from convexp.layers import Conv2d, Dense2d, LocallyConnected2d
from convexp.layers.convert import from_torch
from convexp.layers.views import view_conv, view_linear
from convexp.probes import NotApplicableError, measure
from convexp.probes.structure import spatial_layers as finding
from convexp.probes.structure.distance_from_conv import DistanceFromConv
from convexp.probes.structure.kernels import Kernels
from convexp.probes.structure.locality_index import LocalityIndex
from convexp.probes.structure.receptive_fields import ReceptiveFields
from convexp.probes.structure.sharing_index import SharingIndex
from convexp.probes.structure.spatial_layers import spatial_layers

PROBES = [LocalityIndex(), SharingIndex(), DistanceFromConv(), Kernels(4, 4), ReceptiveFields(4, 4)]
fewer = settings(deadline=None, max_examples=4)


@st.composite
def convolutions(draw):
    groups = draw(st.integers(1, 2))
    torch.manual_seed(draw(st.integers(0, 99)))
    return nn.Conv2d(
        2 * groups,
        3 * groups,
        draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        draw(st.integers(1, 3)),
        draw(st.integers(0, 2)),
        draw(st.integers(1, 2)),
        groups,
        draw(st.booleans()),
        draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"])),
    )


@fewer
@given(convolutions())
def test_a_view_is_the_layer_that_it_is_of_and_copies_nothing(conv):
    view, images = view_conv(conv, (9, 8)), torch.randn(2, conv.in_channels, 9, 8)
    assert view.weight is conv.weight
    assert view.bias is conv.bias
    assert torch.equal(view(images), conv(images))
    made = from_torch(conv, (9, 8))
    for a, b in ((view.taps(), made.taps()), (view.dense_weight(), made.dense_weight())):
        assert torch.equal(getattr(a, "weights", a), getattr(b, "weights", b))


@fewer
@given(convolutions())
def test_torchs_convolution_gives_the_numbers_and_pictures_of_this_packages(conv):
    images, labels = torch.rand(4, conv.in_channels, 9, 8), torch.arange(4) % 2

    def network(layer):
        return nn.Sequential(
            nn.Identity(), layer, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(conv.out_channels, 2)
        )

    theirs, ours = (measure(network(layer), images, labels, PROBES) for layer in (conv, from_torch(conv, (9, 8))))
    assert theirs.numbers == ours.numbers
    assert theirs.numbers["locality_index/1/share"] == 1
    assert theirs.numbers["distance_from_conv/distance"] == 0
    assert theirs.skipped == ours.skipped == {}
    assert all(torch.equal(theirs.pictures[name], picture) for name, picture in ours.pictures.items())


def test_a_linear_layer_on_a_flattened_map_is_a_dense_one():
    linear = nn.Linear(2 * 5 * 6, 4)
    view, images = view_linear(linear, (2, 5, 6)), torch.randn(3, 2, 5, 6)
    assert isinstance(view, Dense2d)
    assert view.weight is linear.weight
    assert torch.allclose(view(images).flatten(1), linear(images.flatten(1)), atol=1e-6)


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(64, 5), nn.ReLU(), nn.Linear(5, 3))


def test_only_linear_layers_on_maps_are_found():
    sample = textures(4)
    bytes_as_floats = nn.Sequential(nn.BatchNorm2d(1), mlp())
    found = spatial_layers(bytes_as_floats, sample.__class__(sample.images.float(), sample.labels))
    assert list(found.layers) == ["1.2"]  # not the one on hidden units
    assert found.layers["1.2"].input_size == (8, 8)
    assert found.others == {}


def test_a_linear_layer_shows_its_weights_and_is_no_convolution_by_having_one_location():
    images, labels = torch.rand(4, 1, 8, 8), torch.arange(4) % 3
    found = measure(mlp(), images, labels, PROBES)
    assert is_picture(found.pictures["kernels/2"])
    assert is_picture(found.pictures["receptive_fields/2"])
    assert 0 < found.numbers["locality_index/2/share"] <= 1
    for probe in ("sharing_index", "distance_from_conv"):
        assert found.skipped[probe] == "2: it has one location, at which its units see all of the map"


def test_the_layers_of_a_resnet():
    torch.manual_seed(0)
    network, images = resnet18(num_classes=3), torch.rand(2, 3, 32, 32)
    convolutions = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)]
    found = measure(network, images, torch.tensor([0, 1]), PROBES)
    assert not found.skipped
    assert {name.rpartition("/")[0] for name in found["locality_index"].numbers} == set(convolutions)
    assert all(found.numbers[f"sharing_index/{name}/index"] == 1 for name in convolutions)
    assert found.numbers["distance_from_conv/distance"] == 0
    assert len(found["kernels"].pictures) == len(convolutions) == 20
    assert list(found["receptive_fields"].pictures) == ["receptive_fields/conv1"]


def test_every_kind_of_layer_in_one_network():
    network = nn.Sequential(
        LocallyConnected2d(1, 2, 3, 8), nn.ReLU(), Conv2d(2, 2, 3, 6), nn.Conv2d(2, 2, 3), nn.Flatten(), nn.Linear(8, 3)
    )
    found = spatial_layers(network, type(textures())(torch.rand(2, 1, 8, 8), torch.tensor([0, 1])))
    assert {name: type(layer).__name__ for name, layer in found.layers.items()} == {
        "0": "LocallyConnected2d", "2": "Conv2d", "3": "Conv2d", "5": "Dense2d",
    }  # fmt: skip
    assert (found.layers["3"].input_size, found.layers["5"].input_size) == ((4, 4), (2, 2))


class Standardised(nn.Conv2d):
    def forward(self, x):
        return self._conv_forward(x, self.weight - self.weight.mean(), self.bias)


class Half(nn.Module):
    def forward(self, weight):
        return weight / 2


def reasons(network, size=8):
    return spatial_layers(network, type(textures())(torch.rand(2, 1, size, size), torch.tensor([0, 1]))).others


@pytest.mark.filterwarnings("ignore:Using padding")  # torch copies for it
def test_what_cannot_be_measured_is_said(monkeypatch):
    known = nn.Conv2d(1, 1, 3, padding=1)
    assert reasons(nn.Sequential(known, Standardised(1, 1, 3))) == {"1": "Standardised has a forward pass of its own"}
    uneven = nn.Conv2d(1, 1, 2, padding="same")
    assert reasons(nn.Sequential(known, uneven))["1"].startswith("padding=same needs an odd kernel_size")
    unused = nn.Sequential(known, nn.ReLU())
    unused[1].forgotten = nn.Conv2d(1, 1, 3)
    assert reasons(unused) == {"1.forgotten": "it is not called in the forward pass"}
    monkeypatch.setattr(finding, "free_bytes", lambda: 10_000)
    large = reasons(nn.Sequential(known, LocallyConnected2d(1, 4, 3, 8)))
    assert large["1"].startswith("its 1,296 weights by unit and pixel take 0.0 GB, and 0.0 GB are free")
    with pytest.raises(NotApplicableError, match="the network has no layer on images"):
        reasons(nn.ReLU())


def test_a_weight_that_is_computed_is_the_one_that_is_measured():
    conv = nn.Conv2d(1, 2, 3)
    parametrize.register_parametrization(conv, "weight", Half())
    assert torch.equal(view_conv(conv, (5, 5)).weight, conv.weight)
