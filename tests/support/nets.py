"""Small networks whose answers are known, and images for them."""

from dataclasses import replace
from typing import Any

import torch
from hypothesis import settings
from torch import Tensor

from convexp.data.canvas import place
from convexp.geometry.skeleton import Skeleton, Stage
from convexp.layers import Conv2d
from convexp.models import Network
from convexp.probes import Sample

few = settings(deadline=None, max_examples=15)
STAGE = Stage(6, (3, 3), (1, 1), (1, 1), (1, 1), "zeros", "none", (2, 2))
SKELETON = Skeleton((1, 8, 8), 3, (STAGE,), "flatten", (), "relu", "none", True)


def make(wiring: Any = Conv2d, seed: int = 0, **changes: Any) -> Network:
    torch.manual_seed(seed)
    skeleton = replace(SKELETON, **changes)
    channels = skeleton.input_shape[0]
    return Network(skeleton, wiring, [0.0] * channels, [1.0] * channels).eval()


def in_the_middle(images: Tensor, canvas: int) -> Tensor:
    n = images.shape[2]
    return place(images, (canvas, canvas), ((canvas - n) // 2,) * 2)


def constant(answer: int) -> Network:
    network = make()
    for p in network.parameters():
        p.zero_()
    network.head.classes.bias[answer] = 1
    return network


def summing(threshold: float) -> Network:
    """Class 1 where the mean pixel is above the threshold (0..1), else class 0: it cannot see where things are."""
    network = make(stages=(), readout="global_avg", classes=2)
    network.head.classes.weight.copy_(torch.tensor([[0.0], [1.0]]))
    network.head.classes.bias.copy_(torch.tensor([threshold, 0.0]))
    return network


def data(n: int = 40, seed: int = 0, canvas: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(1, 256, (n, 1, 4, 4), dtype=torch.uint8, generator=generator)
    return in_the_middle(images, canvas), torch.randint(0, 3, (n,), generator=generator)


def is_picture(picture: Tensor) -> bool:
    return picture.dtype == torch.uint8 and picture.dim() == 3 and picture.shape[0] == 3 and picture.shape[1:].numel() > 0


def textures(n: int = 30, size: int = 8, classes: int = 3, seed: int = 0) -> Sample:
    """Noise all over the image, so that every border matters."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, 1, size, size), dtype=torch.uint8, generator=generator)
    return Sample(images, torch.arange(n) % classes)
