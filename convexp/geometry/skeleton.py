"""The skeleton that all wirings share, as plain data (design.md, section 2): what is computed where, not by whom.

Torch-free, so that a configuration can be checked before torch is imported.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from convexp.geometry import Size, check_border, output_size, receptive_field

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
Activation = Literal["relu", "gelu", "tanh", "none"]
Norm = Literal["none", "batch", "batch_unit"]
Pool = Literal["none", "max", "avg"]
Readout = Literal["flatten", "global_avg", "global_max"]


@dataclass(frozen=True)
class Stage:
    """The geometry of one stage, wiring then pooling. Sizes are per dimension; ``padding`` is in pixels."""

    channels: int
    kernel_size: Size
    stride: Size
    padding: Size
    dilation: Size
    padding_mode: PaddingMode
    pool: Pool
    pool_size: Size

    def wired_size(self, input_size: Size) -> Size:
        """Size after the wiring, before pooling.

        Raises:
            ValueError: if the kernel or the border does not fit the input.
        """
        check_border(input_size, self.padding, self.padding_mode)
        return output_size(input_size, self.kernel_size, self.stride, self.padding, self.dilation)

    def output_size(self, input_size: Size) -> Size:
        """Size after the wiring and the pooling (windows of ``pool_size`` that do not overlap)."""
        size = self.wired_size(input_size)
        if self.pool == "none":
            return size
        if any(n > i for n, i in zip(self.pool_size, size, strict=True)):
            raise ValueError(f"pool_size={self.pool_size[0]} is larger than the {'x'.join(map(str, size))} units it pools")
        return tuple(i // n for i, n in zip(size, self.pool_size, strict=True))


@dataclass(frozen=True)
class Field:
    """What the windows below make a unit see, along one dimension: ``size`` pixels from ``first + i * step`` on for unit i.

    Without its end: the unit's centre is the pixel ``first + i * step + (size - 1) / 2``.
    """

    first: int
    size: int
    step: int

    def centre(self, unit: float) -> float:
        """Pixel in the middle of what a unit sees; between two pixels for an even size."""
        return self.first + unit * self.step + (self.size - 1) / 2


@dataclass(frozen=True)
class Skeleton:
    """Stages, readout and hidden dense layers: everything about a network except who is connected to whom.

    Each stage is wiring -> norm -> activation -> pool, each hidden layer linear -> norm -> activation.
    ``input_shape`` is (C, H, W), or (C, L) for one dimension. ``norm=batch`` shares statistics and scale across space (as
    every convolutional network does: weight sharing by another door), ``norm=batch_unit`` keeps them apart for every unit.
    """

    input_shape: Size
    classes: int
    stages: tuple[Stage, ...]
    readout: Readout
    hidden: tuple[int, ...]
    activation: Activation
    norm: Norm
    bias: bool

    def sizes(self) -> tuple[Size, ...]:
        """Spatial size before each stage and after the last one, ``len(stages) + 1`` of them.

        Raises:
            ValueError: naming the stage whose kernel, border or pooling does not fit.
        """
        sizes = [self.input_shape[1:]]
        for index, stage in enumerate(self.stages):
            try:
                sizes.append(stage.output_size(sizes[-1]))
            except ValueError as error:
                raise ValueError(f"stage {index}: {error}") from None
        return tuple(sizes)

    def fields(self) -> tuple[tuple[Field, ...], ...]:
        """Receptive fields of the units after each stage, per dimension, as the stages' windows describe them.

        A wiring that sees more than its window, as a dense one does, has units in the same places.
        """
        found: list[tuple[Field, ...]] = []
        for depth in range(1, len(self.stages) + 1):
            per_dimension = (self._field(self.stages[:depth], dim) for dim in range(len(self.input_shape) - 1))
            found.append(tuple(per_dimension))
        return tuple(found)

    @staticmethod
    def _field(stages: tuple[Stage, ...], dim: int) -> Field:
        windows: list[tuple[int, int, int, int]] = []  # kernel size, stride, dilation, padding
        for stage in stages:
            windows.append((stage.kernel_size[dim], stage.stride[dim], stage.dilation[dim], stage.padding[dim]))
            if stage.pool != "none":
                windows.append((stage.pool_size[dim], stage.pool_size[dim], 1, 0))
        kernels, strides, dilations, paddings = zip(*windows, strict=True)
        size, step = receptive_field(kernels, strides, dilations)
        first = -sum(p * math.prod(strides[:layer]) for layer, p in enumerate(paddings))
        return Field(first, size, step)

    def scaled(self, width: float) -> "Skeleton":
        """The same skeleton with every number of channels and hidden units times ``width``, rounded, at least 1."""

        def scale(n: int) -> int:
            return max(1, round(n * width))

        return replace(
            self,
            stages=tuple(replace(stage, channels=scale(stage.channels)) for stage in self.stages),
            hidden=tuple(scale(n) for n in self.hidden),
        )
