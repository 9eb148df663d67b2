"""The skeleton that all wirings share, as plain data (design.md, section 2): what is computed where, not by whom.

Torch-free, so that a configuration can be checked before torch is imported.
"""

from dataclasses import dataclass, replace
from typing import Literal

from convexp.geometry import Size, check_border, output_size

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

    def scaled(self, width: float) -> "Skeleton":
        """The same skeleton with every number of channels and hidden units times ``width``, rounded, at least 1."""

        def scale(n: int) -> int:
            return max(1, round(n * width))

        return replace(
            self,
            stages=tuple(replace(stage, channels=scale(stage.channels)) for stage in self.stages),
            hidden=tuple(scale(n) for n in self.hidden),
        )
