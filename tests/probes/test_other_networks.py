"""Probes on networks that are not convexp's, and on wirings composed of several layers."""

import importlib
import math

import pytest
import torch
import yaml
from conftest import ROOT
from nets import make, textures
from torch import nn

from convexp.layers import Conv2d, Dense2d, LocallyConnected2d
from convexp.layers.base import SpatialLayer
from convexp.probes.behaviour.absolute_position import with_border
from convexp.training.probe_runner import measure

FEW = {"max_shift": 1, "max_images": 12, "pairs": 1, "batch": 2, "repeats": 1}
BEHAVIOUR = {"shift_map", "consistency", "errors", "flip_rate", "sensitivity_map", "relative_stability"}
STRUCTURE = {
    "locality_index",
    "inverse_participation_ratio",
    "sharing_index",
    "distinct_weights",
    "distance_from_conv",
    "kernels",
    "receptive_fields",
}


def probes():
    """Every probe, by name, with few images."""
    for file in sorted((ROOT / "conf" / "probes").glob("*.yaml")):
        settings = yaml.safe_load(file.read_text()).get(file.stem)
        if settings is not None:
            module, _, kind = settings.pop("_target_").rpartition(".")
            probe = getattr(importlib.import_module(module), kind)
            yield file.stem, probe(**settings | {name: value for name, value in FEW.items() if name in settings})


ALL = dict(probes())


class Pixels(nn.Module):
    def forward(self, images):
        return images / 255.0


def plain(layer=None):
    layer = layer or nn.Conv2d(1, 4, 3, padding=1)
    return nn.Sequential(Pixels(), layer, nn.ReLU(), nn.Flatten(), nn.Linear(256, 3))


class AsInTorchvision(nn.Module):
    """Names as VGG's, which mean something else than convexp's."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(Pixels(), nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2))
        self.stages = nn.ModuleList()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(4, 3)

    def forward(self, images):
        return self.classifier(self.avgpool(self.features(images)).flatten(1))


def test_all_of_them_are_here():
    assert len(ALL) == 21
    assert set(ALL) > BEHAVIOUR | STRUCTURE


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("network", [plain, AsInTorchvision])
def test_measures_what_any_network_shows_and_says_what_the_others_need(name, network):
    found, _ = measure(name, ALL[name], network(), textures())
    if name in ("localisation", "feature_sensitivity"):
        assert found.skipped.startswith("the data set")
    else:
        assert found.skipped is None
        assert all(map(math.isfinite, found.numbers.values()))


@pytest.mark.parametrize("name", sorted(BEHAVIOUR))
def test_measures_any_function_from_images_to_logits(name):
    network = plain().eval()
    with torch.no_grad():
        found, expected = (ALL[name].measure(function, textures()) for function in (network.forward, network))
    assert found.numbers == expected.numbers


@pytest.mark.parametrize("name", sorted(STRUCTURE))
def test_finds_spatial_layers_in_any_network(name):
    found, pictures = measure(name, ALL[name], plain(LocallyConnected2d(1, 4, 3, 8, padding=1)), textures())
    assert any(key.startswith("1/") for key in found.numbers) or f"{name}/1" in pictures


def composed(**settings):
    """A window with weights of its own at every location, then a 1x1 convolution."""
    first = LocallyConnected2d(**settings)
    return nn.Sequential(first, nn.Tanh(), Conv2d(settings["out_channels"], settings["out_channels"], 1, first.output_size))


def test_a_composed_wiring_shows_all_its_layers():
    network = make(composed)
    for name in ("locality_index", "sharing_index", "distance_from_conv"):
        numbers = measure(name, ALL[name], network, textures())[0].numbers
        assert {key.rpartition("/")[0] for key in numbers} - {""} == {"stages.0.0", "stages.0.2"}, name
    assert set(measure("kernels", ALL["kernels"], network, textures())[1]) == {"kernels/stage0_0", "kernels/stage0_2"}
    whole = measure("distance_from_conv", ALL["distance_from_conv"], network, textures())[0].numbers["distance"]
    layers = network.stages[0].wiring
    with torch.no_grad():
        apart, total = map(sum, zip(*(layer.conv_residual() for layer in (layers[0], layers[2])), strict=True))
    assert whole == pytest.approx((apart / total) ** 0.5)


def test_a_border_is_changed_in_every_layer_of_a_composed_wiring_or_in_none():
    other = with_border(make(composed), "circular")
    assert [other.stages[0].wiring[part].padding_mode for part in (0, 2)] == ["circular", "circular"]
    assert (
        with_border(make(lambda **settings: nn.Sequential(composed(**settings), nn.Conv2d(6, 6, 3, padding=1))), "circular")
        is None
    )


class Rectified(Dense2d):
    """A wiring of a user's that is not linear."""

    dense_weight, is_linear = SpatialLayer.dense_weight, SpatialLayer.is_linear

    def batched(self, x):
        return super().batched(x).relu()


@pytest.mark.parametrize("name", ALL)
def test_a_wiring_that_is_not_linear_is_skipped_where_its_weights_are_asked_for(name):
    found, _ = measure(name, ALL[name], make(Rectified), textures())
    if name in STRUCTURE:
        assert found.skipped.startswith("stages.0: Rectified is not linear")
    else:
        assert (found.skipped is not None) == (name in ("localisation", "feature_sensitivity"))
