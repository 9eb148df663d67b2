"""Representations of any network: the outputs of its layers, and where on the image their units lie."""

from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from nets import SKELETON, STAGE, few, make
from torch import nn
from torch.nn import functional as F
from torchvision.models import resnet18
from torchvision.models.vision_transformer import VisionTransformer

from convexp.layers import Conv2d, Dense2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.models import ImageNetwork
from convexp.models.representations import forward_from, layout, maps, maps_and_logits, representations


def looked_at(network, layers=None):
    return ImageNetwork(nn.Identity(), network, layers)


@st.composite
def stage(draw):
    mode = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 2))
    return replace(
        STAGE,
        kernel_size=draw(pairs),
        stride=draw(pairs),
        padding=draw(st.tuples(st.integers(0, 2), st.integers(0, 2))),
        dilation=draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        padding_mode=mode,
        pool=draw(st.sampled_from(["none", "max", "avg", "blur", "max_blur"])),
    )


@few
@given(st.lists(stage(), min_size=1, max_size=2), st.sampled_from([Conv2d, LocallyConnected2d, LowRankLocallyConnected2d]))
def test_what_is_followed_through_the_operations_is_what_the_skeleton_says(stages, wiring):
    skeleton = replace(SKELETON, input_shape=(1, 30, 20), stages=tuple(replace(stage, channels=2) for stage in stages))
    try:
        sizes = skeleton.sizes()[1:]
    except ValueError:
        assume(False)
    network = make(wiring, stages=skeleton.stages, input_shape=skeleton.input_shape, norm="batch", readout="global_avg")
    known, found = (layout(each, torch.rand(1, 1, 30, 20)).maps for each in (network, looked_at(network, ["stages"])))
    assert found == {name: known[name] for name, size in zip(known, sizes, strict=True) if size != (1, 1)}


def test_the_same_tensors_as_the_skeletons_own():
    network, images = make(stages=(STAGE, STAGE)), torch.rand(3, 1, 8, 8)
    own, found = representations(network, images), representations(looked_at(network, ["stages"]), images)
    assert list(own) == ["stages.0", "stages.1", "readout", "head.classes"]
    assert list(found) == ["stages.0", "stages.1", "output"]
    assert all(
        torch.equal(a, b) for a, b in zip(own.values(), (*found.values(), None), strict=False) if b is not None and a.dim() == 4
    )
    assert torch.equal(found["output"], network(images))


def test_the_published_receptive_fields_of_resnet18():
    """Araujo, Norris & Sim 2019, of ResNet-18's blocks: 43, 99, 211, 435 pixels with strides 4, 8, 16, 32."""
    found = layout(resnet18().eval(), torch.rand(1, 3, 64, 64)).maps
    sizes = {name: (found[name].fields[0].size, found[name].stride[1]) for name in ("layer1", "layer2", "layer3", "layer4")}
    assert sizes == {"layer1": (43, 4), "layer2": (99, 8), "layer3": (211, 16), "layer4": (435, 32)}
    assert list(found) == ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"]


def test_what_an_activation_overwrites_is_kept_as_it_was():
    network, images = resnet18().eval(), torch.rand(2, 3, 32, 32)
    found = representations(network, images)
    assert (found["bn1"] < 0).any()
    assert torch.equal(found["bn1"].relu(), found["relu"])
    assert torch.equal(found["fc"], network(images))
    assert "output" not in found


@pytest.mark.parametrize("inference", [True, False])
def test_an_output_that_was_changed_in_place_is_not_that_of_the_last_layer(inference):
    class InPlace(nn.Sequential):
        def forward(self, x):
            x = super().forward(x)
            x *= 10
            return x

    network, images = InPlace(nn.Flatten(), nn.Linear(64, 4)), torch.rand(3, 1, 8, 8)
    with torch.inference_mode(inference):
        found = representations(network, images)
        assert list(found) == ["0", "1", "output"]
        assert torch.equal(found["output"], network(images))
        assert torch.equal(found["1"], network[1](network[0](images)))
        assert torch.equal(maps_and_logits(network, images, [])["logits"], network(images))


@pytest.mark.parametrize("name", ["output", "logits", "softmax"])
def test_a_layer_that_is_called_as_the_output_is_has_a_name_of_its_own(name):
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 3, 3)
            self.add_module(name, nn.Conv2d(3, 4, 1))

        def forward(self, x):
            return self.get_submodule(name)(self.conv(x)).mean((2, 3))

    network, images = Named(), torch.rand(2, 1, 8, 8)
    found = representations(network, images)
    assert list(found) == ["conv", f"layer.{name}", "output"]
    assert list(layout(network, images).maps) == ["conv", f"layer.{name}"]
    assert torch.equal(found[f"layer.{name}"], forward_from(network, images, f"layer.{name}")[0])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.Sigmoid())

    def forward(self, x):
        return x * self.gate(x)


class Rolled(nn.Module):
    def forward(self, x):
        return x.roll(1, -1)


class Assigned(nn.Module):
    """A shift by assignment to a part: of zeros, of zeros made from the map, or of the map itself."""

    def __init__(self, way):
        super().__init__()
        self.way = way

    def forward(self, x):
        moved = {"new": torch.zeros(x.shape), "like": torch.zeros_like(x), "own": x.clone()}[self.way]
        moved[:, :, 1:] = x[:, :, :-1]
        return x + moved


class ChannelsLast(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.mix = nn.LayerNorm(4), nn.Linear(4, 4)

    def forward(self, x):
        return self.mix(self.norm(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2) + x


class Halves(nn.Module):
    def forward(self, x):
        a, b = x.chunk(2, 1)
        return torch.cat((b, F.max_pool2d(F.pad(a, (1, 1, 1, 1), mode="circular"), 3, 1)), 1)


def after(*layers):
    network = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), *layers).eval()
    found = layout(network, torch.rand(1, 1, 12, 12))
    return found.maps.get(str(len(layers))), found.others.get(str(len(layers)))


def test_operations_that_keep_their_place():
    start, _ = after()
    assert after(nn.GroupNorm(2, 4))[0] == replace(start, whole=True)
    assert after(Attention())[0] == replace(start, whole=True)
    assert after(ChannelsLast(), nn.Hardswish(), nn.Dropout2d(), nn.PReLU())[0] == start
    wider, _ = after(Halves())
    assert [(f.first, f.size, f.stride) for f in wider.fields] == [(-3, 7, 2)] * 2


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ((Rolled(),), "after the operation roll"),
        ((Assigned("new"),), "after the operation add"),
        ((Assigned("like"),), "after the operation add"),
        ((Assigned("own"),), "after the operation add"),
        ((nn.Upsample(scale_factor=2),), "after the operation upsample"),
        ((nn.ConvTranspose2d(4, 4, 2, 2),), "after the operation conv_transpose2d"),
        ((nn.AdaptiveAvgPool2d(4),), "after the operation adaptive_avg_pool2d"),
        ((nn.Flatten(2),), "is a sequence"),
        ((nn.Flatten(),), "is a vector"),
        ((nn.AdaptiveAvgPool2d(1),), "one unit for all of the image"),
    ],
)
def test_what_is_not_known_is_said(layers, reason):
    known, said = after(*layers)
    assert known is None
    assert reason in said


class Odd(nn.Module):
    """A layer that is called twice, one that returns a tuple, one that is never called, and an answer that no layer returns."""

    def __init__(self):
        super().__init__()
        self.twice, self.several = nn.Conv2d(1, 1, 3, padding=1), nn.ModuleList([nn.ReLU(), nn.Tanh()])
        self.recurrent, self.never = nn.LSTM(8, 5, batch_first=True), nn.Linear(3, 3)

    def forward(self, x):
        for layer in self.several:
            x = layer(self.twice(x))
        return self.recurrent(x[:, 0])[0].mean(1) * 2


def test_layers_that_are_called_twice_or_never_or_return_a_tuple():
    network, images = Odd().eval(), torch.rand(2, 1, 8, 8)
    found = representations(network, images)
    assert list(found) == ["several.0", "twice", "several.1", "recurrent", "output"]
    assert torch.equal(found["twice"], network.twice(found["several.0"]))  # the last of its calls
    assert found["recurrent"].shape == (2, 8, 5)
    assert torch.equal(found["output"], network(images))
    placed = layout(network, images)
    assert placed.others["never"] == "it is not called, or returns no tensor"
    assert placed.others["recurrent"].endswith("is a sequence, not a map")
    assert placed.maps["several.1"].fields[0].size == 5


def test_tokens_of_a_transformer_are_no_map():
    network = VisionTransformer(16, 8, 1, 2, 8, 16, num_classes=3).eval()
    placed = layout(network, torch.rand(1, 3, 16, 16))
    assert list(placed.maps) == ["conv_proj"]
    assert "is a sequence" in placed.others["encoder"]


def test_no_hook_is_left_behind():
    network = resnet18().eval()
    representations(network, torch.rand(1, 3, 32, 32))
    layout(network, torch.rand(1, 3, 32, 32))
    with pytest.raises(RuntimeError):
        representations(network, torch.rand(1, 2, 32, 32))
    assert not any(module._forward_hooks for module in network.modules())


def test_the_gradient_at_a_layer():
    network, images = (
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(72, 3)),
        torch.rand(4, 1, 8, 8),
    )
    features, output = forward_from(network, images, "0")
    (slope,) = torch.autograd.grad(output[:, 1].sum(), features)
    assert torch.allclose(slope.flatten(1), network[3].weight[1] * (features > 0).flatten(1))
    assert torch.equal(features, maps(network, images, ["0"])["0"])


def test_dense_layers_lie_where_the_skeleton_says_and_nowhere_else():
    network, images = make(Dense2d), torch.rand(1, 1, 8, 8)
    assert layout(network, images).maps["stages.0"].stride == (1, 1)
    assert "after the operation flatten" in layout(looked_at(network, ["stages"]), images).others["stages.0"]
