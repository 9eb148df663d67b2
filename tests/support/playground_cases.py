"""Skeletons in which every two settings meet, as the page's playground has to run them, and specs of networks."""

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from convexp.geometry.skeleton import Skeleton, Stage
from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.models import Network
from convexp.models.lowering import lower
from convexp.models.parts import LocalSignalAdaptivity
from convexp.records.playground_format import Pictures, Playground

CLASSES = 5


class OwnMap(nn.Module):
    """A linear layer of nobody's acquaintance: a convolution of which every second row is turned round."""

    def __init__(self, in_channels: int, out_channels: int, **window: Any) -> None:
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels, **window)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(x)
        return torch.cat((h[:, :, ::2], h[:, :, 1::2].flip(3)), 2)


def torch_conv(input_size: Any, **arguments: Any) -> nn.Module:
    return nn.Conv2d(**arguments)


WIRINGS: dict[str, Any] = {
    "conv": Conv2d,
    "grouped conv": partial(Conv2d, groups=2),
    "torch's conv": torch_conv,
    "local": LocallyConnected2d,
    "local, bias by channel": partial(LocallyConnected2d, bias="channel"),
    "grouped local": partial(LocallyConnected2d, groups=2),
    "low rank": partial(LowRankLocallyConnected2d, rank=3),
    "low rank, softmax": partial(LowRankLocallyConnected2d, rank=2, softmax=True, bias="channel"),
    "dense": Dense2d,
    "global conv": GlobalConv2d,
    "own": OwnMap,
}
SETTINGS: dict[str, tuple[Any, ...]] = {
    "wiring": tuple(WIRINGS),
    "kernel_size": ((3, 3), (5, 3), (1, 1), (2, 3)),
    "stride": ((1, 1), (2, 2), (2, 1), (3, 2)),
    "padding": ("same", "valid", 1),
    "dilation": ((1, 1), (2, 1), (1, 2)),
    "padding_mode": ("zeros", "reflect", "replicate", "circular"),
    "pool": ("none", "max", "avg", "blur", "max_blur", "aps", "max_aps"),
    "pool_size": ((2, 2), (3, 1)),
    "norm": ("none", "batch", "batch_unit"),
    "activation": ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "lsa", "none"),
    "readout": ("flatten", "global_avg", "global_max"),
    "hidden": ((), (6,)),
    "channels": (1, 3),
    "bias": (True, False),
    "size": ((12, 12), (13, 10), (10, 14)),
}


def skeleton_of(chosen: dict[str, Any]) -> Skeleton | None:
    """The skeleton with these settings in the first of two stages; None if they do not go together."""
    k, d = chosen["kernel_size"], chosen["dilation"]
    padding = {"valid": (0, 0), "same": tuple(b * (a - 1) // 2 for a, b in zip(k, d, strict=True))}
    first = Stage(
        channels=4,
        kernel_size=k,
        stride=chosen["stride"],
        padding=padding.get(chosen["padding"], (1, 1)),
        dilation=d,
        padding_mode=chosen["padding_mode"],
        pool=chosen["pool"],
        pool_size=chosen["pool_size"],
    )
    second = replace(first, channels=4, kernel_size=(2, 1), stride=(1, 1), padding=(0, 0), dilation=(1, 1), pool="none")
    skeleton = Skeleton(
        (2 * chosen["channels"] if "grouped" in chosen["wiring"] else chosen["channels"], *chosen["size"]),
        CLASSES,
        (first, second),
        **{name: chosen[name] for name in ("readout", "hidden", "activation", "norm", "bias")},
    )
    if chosen["wiring"] == "global conv" and not _is_centred(first):
        return None
    try:
        skeleton.sizes()
    except ValueError:
        return None
    return skeleton


def _is_centred(stage: Stage) -> bool:
    """Whether a global convolution can have this border: circular, or zeros with every unit's centre in the image."""
    windows = zip(stage.padding, stage.kernel_size, stage.dilation, strict=True)
    inside = all(p <= d * (k - 1) // 2 for p, k, d in windows)
    return stage.padding_mode == "circular" or (stage.padding_mode == "zeros" and inside)


@torch.no_grad()
def network_of(skeleton: Skeleton, wiring: str) -> Network:
    """An untrained network whose logits have a standard deviation of 2 over random images.

    Of networks that answer nearly the same whatever they see, as with units that are all off, the next one is drawn.
    """
    pixels = skeleton.input_shape[0]
    for seed in range(20):
        torch.manual_seed(seed)
        network = Network(skeleton, WIRINGS[wiring], [0.3, 0.4, 0.5, 0.1, 0.2, 0.3][:pixels], [0.2] * pixels)
        _draw_statistics(network)
        for parameter in network.parameters():
            parameter.mul_(2 if parameter.dim() > 1 else 1)
        spread = network.eval()(images_for(network, 50)).std(0).mean()
        if spread > 0.02:
            network.head.classes.weight.mul_(2 / spread)
            return network
    raise AssertionError(f"no network of {wiring} and {skeleton} sees its images")


def _draw_statistics(network: Network) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for name, low, high in (("running_mean", -0.5, 0.5), ("running_var", 0.2, 2), ("weight", 0.5, 2), ("bias", -1, 1)):
                getattr(module, name).uniform_(low, high)
        if isinstance(module, LocalSignalAdaptivity):
            module.threshold.fill_(0.05)


def images_for(network: Network, n: int, seed: int = 1) -> Tensor:
    """Random images that are smooth, as photographs are, some bright and some dark."""
    generator = torch.Generator().manual_seed(seed)
    channels, height, width = network.skeleton.input_shape
    coarse = torch.rand(n, channels, 4, 4, generator=generator)
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    noise = torch.rand(n, channels, height, width, generator=generator)
    brightness = torch.rand(n, 1, 1, 1, generator=generator)
    return (255 * brightness * (0.8 * smooth + 0.2 * noise)).to(torch.uint8)


def pairwise(seed: int = 0, tries: int = 60) -> Iterator[tuple[dict[str, Any], Skeleton]]:
    """Skeletons such that any two values of two settings that go together at all meet in one of them.

    Greedy: of random skeletons with an uncovered pair, the one that covers most.
    """
    draw = random.Random(seed)
    names = list(SETTINGS)
    left = {((a, x), (b, y)) for a, b in combinations(names, 2) for x in SETTINGS[a] for y in SETTINGS[b]}
    while left:
        best, covered = None, set[Any]()
        wanted = draw.choice(sorted(left, key=repr))
        for _ in range(tries):
            chosen = {name: draw.choice(values) for name, values in SETTINGS.items()} | dict(wanted)
            pairs = set(combinations([(name, chosen[name]) for name in names], 2)) & left
            if len(pairs) > len(covered) and (made := skeleton_of(chosen)) is not None:
                best, covered = (chosen, made), pairs
        if best is None:  # these two do not go together
            covered = {wanted}
        else:
            yield best
        left -= covered


def spec_of(network: Network, images: Tensor | None = None) -> dict[str, Any]:
    """What a run with this network writes to ``playground.json``, with these images."""
    lowered = lower(network)
    seen = network.skeleton.input_shape
    images = torch.zeros(0, *seen, dtype=torch.uint8) if images is None else images
    return Playground(
        version=1,
        input=lowered.input,
        classes=[str(n) for n in range(network.skeleton.classes)],
        layers=lowered.layers,
        weights=bytes(lowered.weights.content),
        images=Pictures([0] * len(images), images.numpy().tobytes()),
        content=(seen[1], seen[2]),
    ).spec()
