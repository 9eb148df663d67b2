"""What ``playground.json`` holds, as types: a trained network that a page runs, and its limits.

A run writes it at its end (``convexp.execution.playground``), ``convexp.records.playground`` reads it, and
``convexp/reporting/render/html/playground/network.js`` runs it.
"""

import math
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from convexp.geometry.placement import ShiftProtocol
from convexp.geometry.skeleton import PaddingMode

VERSION = 1
MAX_WEIGHTS = 2 * 2**20  # bytes of weights and biases
MAX_IMAGE = 2**16  # numbers in an image
MAX_IMAGES = 2**18  # bytes of all images
MAX_UNITS = 2**20  # units of a layer, and of a map with its border
MAX_ALL_UNITS = 2**22  # of all layers, with their borders
MAX_MULTIPLY_ADDS = 50_000_000  # for one image: some 50 ms in a browser
MAX_FILE = 4 * 2**20  # bytes of the file, in which base64 takes four bytes for three
IMAGES = 20

Op = Literal[
    "conv",
    "local",
    "low_rank_local",
    "dense",
    "global_conv",
    "norm",
    "activation",
    "max_pool",
    "avg_pool",
    "dense_max",
    "blur",
    "aps",
    "flatten",
    "global_avg",
    "global_max",
    "linear",
]
Kind = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "lsa"]
Size = Annotated[int, Meta(ge=1, le=2**20)]
Count = Annotated[int, Meta(ge=0, le=2**24)]
Whole = Annotated[int, Meta(ge=-(2**20), le=2**20)]
Word = Annotated[str, Meta(max_length=200)]
Bytes = {"float16": 2, "float32": 4}


class Numbers(Struct, frozen=True, omit_defaults=True):
    """An array in ``weights``, little-endian, row-major.

    Attributes:
        offset: First byte.
        shape: Its shape.
        type: Type of the numbers.
        scale: What they are multiplied with, a power of two.
    """

    offset: Count
    shape: Annotated[list[Size], Meta(min_length=1, max_length=6)]
    type: Literal["float16", "float32"] = "float16"
    scale: float = 1.0

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return Bytes[self.type] * math.prod(self.shape)

    @property
    def end(self) -> int:
        """The byte after the last."""
        return self.offset + self.size


class Layer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One operation; which fields it has depends on ``op``. Shapes as in ``convexp.layers`` and ``convexp.models.pooling``.

    Attributes:
        op: What is computed.
        name: Name of the module in the network, such as ``stages.0.wiring``.
        stage: Stage that it belongs to; None for readout and head.
        kernel: Kernel size of a window, per dimension.
        stride: Stride of a window, or distance between pooled units.
        padding: Padding of a window on each side.
        dilation: Distance between the taps of a window.
        border: What lies around the map.
        groups: Groups of channels.
        output: Shape (O, H', W') of ``dense``, or (H', W') of ``global_conv``.
        first: Centre of the first unit of ``global_conv``, per dimension.
        kind: Which activation.
        threshold: Threshold of ``lsa``.
        weight: Kernels: (O, C/G, k1, k2) of ``conv``, (H', W', O, C/G, k1, k2) of ``local``, (R, O, C/G, k1, k2) of
            ``low_rank_local``, (O*H'*W', C*H*W) of ``dense``, (O, C, 2H-1, 2W-1) or (O, C, H, W) of ``global_conv``,
            (outputs, inputs) of ``linear``.
        combination: Share of each kernel at each location of ``low_rank_local``, (R, H', W').
        bias: For each output channel or each unit.
        scale: Factors of ``norm``, for each channel or each unit: ``scale * x + shift``.
        shift: Its summands.
    """

    op: Op
    name: Word
    stage: Annotated[int, Meta(ge=0, le=99)] | None = None
    kernel: tuple[Size, Size] | None = None
    stride: tuple[Size, Size] | None = None
    padding: tuple[Count, Count] | None = None
    dilation: tuple[Size, Size] | None = None
    border: PaddingMode | None = None
    groups: Size | None = None
    output: Annotated[list[Size], Meta(min_length=2, max_length=3)] | None = None
    first: tuple[Whole, Whole] | None = None
    kind: Kind | None = None
    threshold: float | None = None
    weight: Numbers | None = None
    combination: Numbers | None = None
    bias: Numbers | None = None
    scale: Numbers | None = None
    shift: Numbers | None = None

    @property
    def arrays(self) -> list[Numbers]:
        """The arrays that it has."""
        return [a for a in (self.weight, self.combination, self.bias, self.scale, self.shift) if a is not None]


class Input(Struct, frozen=True):
    """What the network sees, and how it normalises pixels x of 0 to 255: ``(x / 255 - mean) / std`` in each channel."""

    channels: Size
    height: Size
    width: Size
    mean: list[float]
    std: list[float]


class Pictures(Struct, frozen=True):
    """Images and their labels; ``data`` is uint8, (n, C, H, W)."""

    label: Annotated[list[Count], Meta(max_length=IMAGES)]
    data: bytes


class Playground(Struct, frozen=True, kw_only=True):
    """A network that a page can run, and images for it.

    Attributes:
        version: Version of the format.
        input: What the network sees.
        classes: Names of the classes.
        layers: What is computed, in order.
        weights: The bytes of all arrays.
        images: The first test images as the network sees them, unshifted.
        content: Size (h, w) of an image within the canvas.
        protocol: How the run shifts images.
    """

    version: int
    input: Input
    classes: Annotated[list[Word], Meta(min_length=1, max_length=1000)]
    layers: Annotated[list[Layer], Meta(min_length=1, max_length=200)]
    weights: bytes
    images: Pictures
    content: tuple[Size, Size]
    protocol: ShiftProtocol = "zero_fill"

    def spec(self) -> dict[str, Any]:
        """Return it as plain containers for JSON, with bytes as base64."""
        return msgspec.to_builtins(self)


class LeftOut(Struct, frozen=True, kw_only=True):
    """A network that is in no page, with a sentence that says why."""

    left_out: str
    version: int = VERSION
