"""Any network: normalisation in front, channels repeated, and costs that hold for every module."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from convexp.models import ImageNetwork, layer_costs
from convexp.models.mlp_mixer import MixerBlock, MlpMixer
from convexp.models.parts import Normalize
from convexp.models.resnet import ResNet18
from convexp.models.timing import layer_times
from convexp.models.timm_network import timm_network
from convexp.models.vit import vision_transformer

SHAPE = (1, 8, 8)


def resnet18():
    return ResNet18(SHAPE, 3, width=4)


def vit():
    return vision_transformer(SHAPE, 3, layers=2, heads=2, hidden_dim=8)


def mixer():
    return MlpMixer(SHAPE, 3, depth=2, hidden_dim=8)


BUILDERS = [resnet18, vit, mixer]


def images(n: int = 2, channels: int = 1, size: int = 8) -> torch.Tensor:
    return torch.randint(0, 256, (n, channels, size, size), dtype=torch.uint8)


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_the_network_is_given_normalised_images_of_as_many_channels_as_it_takes(channels):
    network = ImageNetwork(Normalize([0.25], [0.5], 2), nn.Identity(), channels=channels)
    x = images()
    expected = ((x / 255 - 0.25) / 0.5).expand(-1, channels or 1, -1, -1)
    assert torch.allclose(network(x), expected, atol=1e-6)


def test_the_statistics_are_saved_with_the_weights():
    trained = ImageNetwork(Normalize([0.25], [0.5], 2), nn.Flatten())
    other = ImageNetwork(Normalize([0.0], [1.0], 2), nn.Flatten())
    other.load_state_dict(trained.state_dict())
    x = images()
    assert torch.equal(other(x), trained(x))


def test_layers_are_the_children_or_those_that_are_named():
    def layers(names):
        return ImageNetwork(Normalize([0.0], [1.0], 2), mixer(), names).layers

    assert layers(None) == ("stem", "blocks", "norm", "head")
    assert layers(["blocks.0", "blocks.1.tokens"]) == ("blocks.0", "blocks.1.tokens")
    for wrong in (["blocks.2"], [""], ["stem", "nothing"]):
        with pytest.raises(ValueError, match="there is no module"):
            layers(wrong)


@pytest.mark.parametrize("build", BUILDERS)
def test_counts_add_up_and_are_the_same_on_the_meta_device(build):
    network = build()
    layers = layer_costs(network, SHAPE)
    assert sum(layer.parameters for layer in layers) == sum(p.numel() for p in network.parameters())
    with torch.device("meta"):
        empty = build()
    assert layer_costs(empty, SHAPE) == layers


def test_the_widest_resnet_is_that_of_torchvision():
    with torch.device("meta"):
        ours, theirs = ResNet18((3, 64, 64), 10, stem="imagenet"), torchvision.models.resnet18(num_classes=10)
    shapes = [{name: p.shape for name, p in network.state_dict().items()} for network in (ours, theirs)]
    assert shapes[0] == shapes[1]
    assert layer_costs(ours, (3, 64, 64)) == layer_costs(theirs, (3, 64, 64))


@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
def test_resnet_computes_what_that_of_torchvision_computes(stem):
    ours, theirs = ResNet18((3, 40, 40), 10, stem=stem), torchvision.models.resnet18(num_classes=10)
    if stem == "cifar":
        theirs.conv1, theirs.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 40, 40)
    assert torch.allclose(ours.eval()(x), theirs.eval()(x), atol=1e-5)


def test_vision_transformer_has_the_flops_of_its_products():
    tokens, d, layers, patch = 4 + 1, 8, 2, 16
    products = 4 * d * patch + layers * tokens * (3 * d * d + 2 * tokens * d + d * d + 8 * d * d) + d * 3
    assert sum(layer.flops for layer in layer_costs(vit(), SHAPE)) == 2 * products


def test_mixer_mixes_patches_within_channels_and_channels_within_patches():
    block, x = MixerBlock(6, 4), torch.randn(2, 6, 4)
    moved = torch.randperm(6)
    without_tokens = MixerBlock(6, 4)
    nn.init.zeros_(without_tokens.tokens[2].weight)
    nn.init.zeros_(without_tokens.tokens[2].bias)
    assert torch.allclose(without_tokens(x[:, moved]), without_tokens(x)[:, moved], atol=1e-6)
    assert not torch.allclose(block(x[:, moved]), block(x)[:, moved], atol=1e-3)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: vision_transformer((1, 28, 28), 10, patch_size=8), "patch_size=8: does not divide images of 28x28"),
        (lambda: vision_transformer((1, 8, 16), 10), "square"),
        (lambda: vision_transformer(SHAPE, 10, hidden_dim=8), "hidden_dim=8: should be a multiple of heads=3"),
        (lambda: MlpMixer((1, 28, 28), 10, patch_size=8), "does not divide"),
        (lambda: MlpMixer((1, 28), 10), "signals"),
        (lambda: timm_network("resnet999", SHAPE, 10), "timm has no network"),
        (lambda: timm_network("hf-hub:somebody/else", SHAPE, 10), "timm has no network"),
        (lambda: timm_network("resnet10t", SHAPE, 10, pretrained=True), "pretrained=True: is not passed on"),
        (lambda: timm_network("resnet10t", SHAPE, 10, pretrained_cfg=1), "is not passed on"),
        (lambda: timm_network("resnet10t", SHAPE, 10, checkpoint_path="x.pth"), "is not passed on"),
        (lambda: timm_network("resnet10t", SHAPE, 10, norm_layer="nowhere"), "is not passed on"),
    ],
)
def test_what_does_not_fit_is_said(build, words):
    with pytest.raises(ValueError, match=words):
        build()


@pytest.mark.parametrize("name", ["resnet10t", "vit_tiny_patch16_224"])
def test_a_network_of_timm_takes_these_images(name):
    with torch.device("meta"):
        network = timm_network(name, (1, 32, 32), 7)
        assert network(torch.zeros(2, 1, 32, 32)).shape == (2, 7)


class Awkward(nn.Module):
    """A module that is called twice, two that share a parameter, one whose weights its parent uses, and FLOPs of its own."""

    def __init__(self):
        super().__init__()
        self.twice = nn.Linear(4, 4, bias=False)
        self.tied = nn.Linear(4, 4, bias=False)
        self.tied.weight = self.twice.weight
        self.weights = nn.Linear(4, 4)
        self.inner = nn.Sequential(self.twice)
        self.register_buffer("table", torch.ones(4, 4))

    def forward(self, x):
        x = self.twice(self.inner(x.flatten(1)[:, :4]))
        x = F.linear(self.tied(x), self.weights.weight, self.weights.bias)
        return x @ self.table


def test_shared_and_repeated_modules_count_once_and_their_flops_every_time():
    network = Awkward()
    found = {layer.name: layer for layer in layer_costs(network, SHAPE)}
    product = 2 * 4 * 4
    assert {name: (layer.parameters, layer.flops) for name, layer in found.items()} == {
        "": (0, 2 * product),
        "twice": (16, 2 * product),
        "tied": (0, product),
        "weights": (20, 0),
    }
    assert (found["weights"].output_shape, found["weights"].units) == ((), 0)
    assert sum(layer.parameters for layer in found.values()) == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("build", BUILDERS)
def test_time_is_measured_of_every_module_that_calls_no_other(build):
    network, x = build().eval(), torch.randn(2, *SHAPE)
    before = network(x)
    called = set()
    hooks = [m.register_forward_hook(lambda m, *_, name=name: called.add(name)) for name, m in network.named_modules() if name]
    network(x)
    for hook in hooks:
        hook.remove()
    found = layer_times(network, x, repeats=1)
    inner = {name.rpartition(".")[0] for name in called}
    assert {name for name in called if name not in inner} == set(found)
    assert all(time.forward_ms > 0 for time in found.values())
    assert torch.equal(network(x), before)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_time_of_shared_modules_is_measured_too():
    found = layer_times(Awkward(), torch.randn(2, *SHAPE), repeats=1)
    assert set(found) == {"twice", "tied"}
    assert all(time.backward_ms > 0 for time in found.values())


def test_activations_that_overwrite_their_input_do_so_again_afterwards():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten())
    layer_times(network, torch.randn(1, *SHAPE), repeats=1)
    assert network[1].inplace


@pytest.mark.parametrize("frozen", [True, False])
def test_every_module_keeps_its_mode(frozen):
    network = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(), nn.Flatten()).train()
    network[0].train(not frozen)
    layer_costs(network, SHAPE)
    assert [module.training for module in network] == [not frozen, True, True]
