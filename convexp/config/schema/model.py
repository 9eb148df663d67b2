"""The section ``model`` of a skeleton: its settings, and the wiring of its stages."""

from pydantic import Field, PositiveFloat, PositiveInt

from convexp.config.schema.fields import StageNumber, StagePadding, StagePaddingMode, StagePool
from convexp.config.schema.section import Section, Target
from convexp.config.schema.skeletons import build_skeleton
from convexp.geometry.skeleton import Activation, Norm, Readout, Skeleton


class SkeletonModel(Section):
    """One skeleton and the wiring of its stages (conf/model/)."""

    name: str = Field(min_length=1, description="name of the wiring in tables and folders")
    wiring: Target
    channels: list[PositiveInt]
    kernel_size: StageNumber
    stride: StageNumber
    padding: StagePadding
    dilation: StageNumber
    padding_mode: StagePaddingMode
    pool: StagePool
    pool_size: StageNumber
    blur_size: StageNumber = 3
    activation: Activation
    norm: Norm
    readout: Readout
    hidden: list[PositiveInt]
    bias: bool
    init_scale: PositiveFloat = 1.0
    width: PositiveFloat

    def targets(self) -> dict[str, Target]:
        """Every ``_target_`` of the section, by its setting."""
        return {"model.wiring": self.wiring}

    def skeleton(self, input_shape: tuple[int, ...], classes: int) -> Skeleton:
        """The skeleton that these settings describe, before ``width`` is applied.

        Args:
            input_shape: shape (C, H, W) of the images that the network sees, or (C, L).
            classes: number of classes.

        Raises:
            ValueError: naming the setting, if a list does not have one value for each stage, or if the padding is ``same`` and
                the kernel is even.
        """
        return build_skeleton(self, input_shape, classes)
