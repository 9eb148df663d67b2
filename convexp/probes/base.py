"""What a probe is, what it looks at and what it returns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from convexp.data.canvas import move
from convexp.geometry import Size
from convexp.geometry.placement import Protocol as ShiftProtocol
from convexp.models import Network

BATCH = 250  # images in one forward pass: bounds the memory, whatever the grid; smaller ones stay in a CPU's cache


class NotApplicableError(Exception):
    """The probe says nothing about this network or these images: noted in the result, the run goes on."""


@dataclass
class Measurement:
    """Numbers, maps (plain lists) and pictures (``(3, H, W)``, uint8) by name; ``protocol``: how shifts were made."""

    numbers: dict[str, float]
    maps: dict[str, Any] = field(default_factory=dict[str, Any])
    pictures: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    protocol: str | None = None


@dataclass(frozen=True)
class Sample:
    """Test images as the network sees them, all on its device.

    Attributes:
        images: (N, C, *size) uint8.
        labels: (N,) int64.
        canvas: (N, C, *canvas_size), the larger images that ``crop`` moves its window over; None where there are none.
        objects: (N, 2, D), first pixel of the object to be found and the one after its last, -1 where there is none; None for
            images of which that is not known.
    """

    images: Tensor
    labels: Tensor
    canvas: Tensor | None = None
    objects: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def size(self) -> Size:
        """Of an image, per dimension."""
        return tuple(self.images.shape[2:])

    def rows(self, rows: slice | Tensor) -> "Sample":
        """Some of them."""
        return replace(
            self,
            images=self.images[rows],
            labels=self.labels[rows],
            canvas=None if self.canvas is None else self.canvas[rows],
            objects=None if self.objects is None else self.objects[rows],
        )

    def first(self, n: int) -> "Sample":
        """The first so many, or all there are."""
        return self.rows(slice(n))

    def slices(self) -> Iterator[slice]:
        """Of all rows, ``BATCH`` at a time."""
        return (slice(start, min(start + BATCH, len(self))) for start in range(0, len(self), BATCH))

    def batches(self) -> Iterator["Sample"]:
        """All of them, ``BATCH`` at a time."""
        return map(self.rows, self.slices())

    def moved(self, shift: Size | Tensor, protocol: ShiftProtocol) -> Tensor:
        """The images shifted by ``shift`` pixels, or each by its own row of ``(N, D)``: (N, C, *size)."""
        images = self.images
        if protocol == "crop":
            if self.canvas is None:
                raise NotApplicableError("crop needs a canvas larger than what the network sees: data.shift.protocol=crop")
            images = self.canvas
        return move(images, shift, protocol, self.size)


@runtime_checkable
class Probe(Protocol):
    """A measurement on a trained network, in evaluation mode and without gradients."""

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """Measure; raise ``NotApplicableError`` where that makes no sense."""
        ...


def needs(network: nn.Module, *names: str) -> None:
    """Raise a NotApplicableError unless the network offers the named attributes, which those of convexp do."""
    if missing := [name for name in names if not hasattr(network, name)]:
        raise NotApplicableError(f"needs the network's {', '.join(missing)}, which a {type(network).__name__} does not offer")


def needs_stages(network: nn.Module) -> None:
    """Raise a NotApplicableError unless the network has stages, whose output and geometry it tells."""
    needs(network, "stages", "features", "skeleton")
    if not network.stages:
        raise NotApplicableError("the network has no stages")


def parts(network: nn.Module, wanted: Callable[[nn.Module], bool]) -> dict[str, nn.Module]:
    """The modules of a kind, by name, however deep in a wiring composed of several; of a network without wirings, in all of it.

    What lies within one that is found is a part of it, and is not looked at.
    """
    wired_layers: Callable[[], list[tuple[str, nn.Module]]] = getattr(network, "wired_layers", lambda: [("", network)])
    return {name: module for start, layer in wired_layers() for name, module in _walk(start, layer, wanted)}


def _walk(name: str, module: nn.Module, wanted: Callable[[nn.Module], bool]) -> Iterator[tuple[str, nn.Module]]:
    if wanted(module):
        yield name, module
        return
    for child, part in module.named_children():
        yield from _walk(f"{name}.{child}" if name else child, part, wanted)


def picture_name(layer: str) -> str:
    """Of a layer's picture: ``stage0`` for ``stages.0``, and ``stage0_1`` for its part ``stages.0.1``."""
    return layer.replace("stages.", "stage").replace(".", "_")


def at_least(probe: object, **least: int) -> None:
    """Raise a ValueError unless each named setting of ``probe`` is an integer of at least the value given here."""
    for name, smallest in least.items():
        value = getattr(probe, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < smallest:
            raise ValueError(f"{name}={value}: should be a whole number, {smallest} or more")


def positive(probe: object, *names: str) -> None:
    """Raise a ValueError unless each named setting of ``probe`` is a number above 0."""
    for name in names:
        value = getattr(probe, name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
            raise ValueError(f"{name}={value}: should be a number above 0")


def outputs(
    network: Network, sample: Sample, shift: Size | Tensor | None = None, protocol: ShiftProtocol = "zero_fill"
) -> Tensor:
    """Logits of the images, shifted or as they are: (N, classes)."""
    found: list[Tensor] = []
    for rows in sample.slices():
        batch, own = sample.rows(rows), shift[rows] if isinstance(shift, Tensor) else shift
        found.append(network(batch.images if own is None else batch.moved(own, protocol)))
    return torch.cat(found)


def predict(
    network: Network, sample: Sample, shift: Size | Tensor | None = None, protocol: ShiftProtocol = "zero_fill"
) -> Tensor:
    """Predicted class of each image, shifted or as it is: (N,)."""
    return outputs(network, sample, shift, protocol).argmax(1)
