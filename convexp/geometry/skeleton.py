"""The skeleton of a network, which all wirings share, as plain data (docs/design.md, section 2).

This module is free of torch, so that a configuration is checked before torch is imported.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from convexp.geometry import Size, check_border, output_size, receptive_field
from convexp.geometry.pooling import Pool, pool_steps, pooled_size

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
Activation = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "lsa", "none"]
Norm = Literal["none", "batch", "batch_unit"]
Readout = Literal["flatten", "global_avg", "global_max"]


@dataclass(frozen=True)
class Stage:
    """The geometry of one stage: a layer made by the wiring, then pooling.

    Attributes:
        channels: Number of output channels.
        kernel_size: Kernel size per dimension, in pixels.
        stride: Stride per dimension, in pixels.
        padding: Padding on each side, per dimension, in pixels.
        dilation: Distance between the taps of the kernel, per dimension, in pixels.
        padding_mode: What the padding is filled with.
        pool: Kind of pooling, or ``none``.
        pool_size: Distance between pooled units per dimension, which is also the size of their windows except for ``blur``.
        blur_size: Taps of the filter of ``blur`` and ``max_blur`` per dimension.
    """

    channels: int
    kernel_size: Size
    stride: Size
    padding: Size
    dilation: Size
    padding_mode: PaddingMode
    pool: Pool
    pool_size: Size
    blur_size: Size = (3, 3)

    def wired_size(self, input_size: Size) -> Size:
        """Return the size per dimension after the wiring and before the pooling.

        Raises:
            ValueError: If the kernel or the border does not fit the input.
        """
        check_border(input_size, self.padding, self.padding_mode)
        return output_size(input_size, self.kernel_size, self.stride, self.padding, self.dilation)

    def output_size(self, input_size: Size) -> Size:
        """Return the size per dimension after the wiring and the pooling.

        Raises:
            ValueError: If the kernel, the border or a pooling window does not fit.
        """
        size = self.wired_size(input_size)
        kinds = zip(size, self.pool_size, self.blur_size, strict=False)  # of a signal the first blur_size
        return tuple(pooled_size(self.pool, units, n, taps, self.padding_mode) for units, n, taps in kinds)


@dataclass(frozen=True)
class ReceptiveField:
    """Receptive fields of the units of a stage along one dimension.

    Unit i sees the pixels from ``first + i * stride`` to ``first + i * stride + size - 1``.

    Attributes:
        first: First pixel of unit 0. It is negative where the field reaches into the padding.
        size: Number of pixels.
        stride: Distance between the fields of neighbouring units, in pixels.
    """

    first: int
    size: int
    stride: int

    def centre(self, unit: float) -> float:
        """Return the centre of a unit's field in pixels, ``first + unit * stride + (size - 1) / 2``."""
        return self.first + unit * self.stride + (self.size - 1) / 2


@dataclass(frozen=True)
class Skeleton:
    """Everything about a network except the wiring, that is, except which units are connected.

    Each stage is wiring -> norm -> activation -> pool, and each hidden layer is linear -> norm -> activation.

    Attributes:
        input_shape: Shape of an image, (C, H, W), or of a signal, (C, L).
        classes: Number of classes.
        stages: The stages, from the input on.
        readout: How the last stage's output becomes a vector: flattened, or pooled over space.
        hidden: Numbers of units of the hidden dense layers after the readout.
        activation: Activation function of stages and hidden layers.
        norm: Normalisation. ``batch`` shares statistics and scale across space, as convolutional networks do, and so shares
            weights. ``batch_unit`` has separate ones for every unit.
        bias: Whether layers have a bias.
        init_scale: Factor of the initial weights of stages and hidden layers, beside the default initialization of each layer.
            Biases and the output layer start as they do with 1.
    """

    input_shape: Size
    classes: int
    stages: tuple[Stage, ...]
    readout: Readout
    hidden: tuple[int, ...]
    activation: Activation
    norm: Norm
    bias: bool
    init_scale: float = 1.0

    def sizes(self) -> tuple[Size, ...]:
        """Return the spatial size before each stage and after the last one, ``len(stages) + 1`` sizes.

        Raises:
            ValueError: If a kernel, border or pooling window does not fit. The message names the stage.
        """
        sizes = [self.input_shape[1:]]
        for index, stage in enumerate(self.stages):
            try:
                sizes.append(stage.output_size(sizes[-1]))
            except ValueError as error:
                raise ValueError(f"stage {index}: {error}") from None
        return tuple(sizes)

    def receptive_fields(self) -> tuple[tuple[ReceptiveField, ...], ...]:
        """Return the receptive fields after each stage, per dimension, that follow from the windows of the stages.

        A wiring that sees more than its window, as a dense one does, has its units at the same positions.
        """
        found: list[tuple[ReceptiveField, ...]] = []
        for depth in range(1, len(self.stages) + 1):
            per_dimension = (self._field(self.stages[:depth], dim) for dim in range(len(self.input_shape) - 1))
            found.append(tuple(per_dimension))
        return tuple(found)

    @staticmethod
    def _field(stages: tuple[Stage, ...], dim: int) -> ReceptiveField:
        windows: list[tuple[int, int, int, int]] = []  # kernel size, stride, dilation, padding
        for stage in stages:
            windows.append((stage.kernel_size[dim], stage.stride[dim], stage.dilation[dim], stage.padding[dim]))
            steps = pool_steps(stage.pool, stage.pool_size[dim], stage.blur_size[dim])
            windows += [(step.size, step.stride, 1, step.before) for step in steps]
        kernels, strides, dilations, paddings = zip(*windows, strict=True)
        size, stride = receptive_field(kernels, strides, dilations)
        first = -sum(p * math.prod(strides[:layer]) for layer, p in enumerate(paddings))
        return ReceptiveField(first, size, stride)

    def scaled(self, width: float) -> "Skeleton":
        """Return the skeleton with all numbers of channels and hidden units multiplied by ``width``, rounded, at least 1."""

        def scale(n: int) -> int:
            return max(1, round(n * width))

        return replace(
            self,
            stages=tuple(replace(stage, channels=scale(stage.channels)) for stage in self.stages),
            hidden=tuple(scale(n) for n in self.hidden),
        )
