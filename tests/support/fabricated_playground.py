"""Small networks with random weights as pages run them, and what torch says that they answer."""

from dataclasses import dataclass
from typing import Any

import torch
from nets import make
from torch import Tensor, nn

from convexp.data.canvas import place, shift_images
from convexp.layers import Conv2d, Dense2d, LocallyConnected2d
from convexp.models.lowering import lower
from convexp.records.playground_format import Pictures, Playground
from convexp.reporting.playable import PlaygroundNetwork

WIRINGS = {"dense": Dense2d, "local": LocallyConnected2d, "conv": Conv2d}
CONTENT, CANVAS = 4, 8


def images(count: int = 3, channels: int = 1, content: int = CONTENT, canvas: int = CANVAS) -> Tensor:
    """Random bright squares on a black canvas, (count, C, H, W)."""
    squares = torch.randint(60, 256, (count, channels, content, content), generator=torch.Generator().manual_seed(1))
    return place(squares.to(torch.uint8), (canvas, canvas), ((canvas - content) // 2,) * 2)


@dataclass(frozen=True)
class Played:
    """A network as a page has it, and the same in torch."""

    entry: PlaygroundNetwork
    network: nn.Module
    pictures: Tensor

    def probabilities(self, shift: tuple[int, int], picture: int = 0) -> list[float]:
        """Of the classes, for an image after a shift (down, right)."""
        pictures = self.pictures[[picture]]
        moved = shift_images(pictures, shift, self.entry.protocol, pictures.shape[2:])  # pyright: ignore
        return self.of(moved)

    @torch.no_grad()
    def of(self, picture: Tensor) -> list[float]:
        """Of the classes, for an image (1, C, H, W) as it is."""
        return self.network(picture.float()).softmax(1)[0].tolist()


def played(wiring: str = "conv", protocol: str = "zero_fill", classes: list[str] | None = None, **changes: Any) -> Played:
    """A network of a wiring with random weights, large enough that its answers differ."""
    pictures = images(channels=changes.get("input_shape", (1,))[0])
    names = classes or ["a", "b", "c"]
    network = make(WIRINGS[wiring], classes=len(names), **changes)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3)
        network.head.classes.bias.zero_()
    lowered = lower(network)
    content = Playground(
        version=1,
        input=lowered.input,
        classes=names,
        layers=lowered.layers,
        weights=bytes(lowered.weights.content),
        images=Pictures(label=[0] * len(pictures), data=pictures.numpy().tobytes()),
        content=(CONTENT, CONTENT),
        protocol=protocol,  # pyright: ignore
    )
    return Played(PlaygroundNetwork(wiring, "a note", wiring, protocol, content, "data"), network, pictures)
