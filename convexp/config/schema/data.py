"""The section ``data``: a source of images, its split, its canvas, the shifts and the batches."""

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator

from convexp.config.schema.fields import DimensionNumber, OffsetChoice, SampleCount
from convexp.config.schema.placements import build_placement
from convexp.config.schema.section import Section, Target
from convexp.geometry import Size
from convexp.geometry.placement import Placement, ShiftProtocol

SIDE_OF_AN_IMAGE = 8  # from which on a first and a second dimension that are equal are taken for height and width


class Shift(Section):
    """How images are moved on their canvas (see ``convexp.geometry.placement`` and docs/design.md, section 4)."""

    protocol: ShiftProtocol
    window: DimensionNumber | None  # under the protocol crop: size of the window, in pixels; null: as large as the shifts allow
    train: OffsetChoice  # drawn anew in every epoch
    val: OffsetChoice  # drawn once, with split_seed
    test: OffsetChoice  # drawn once, with split_seed


class Data(Section):
    """A source of images, its split, its canvas, the shifts and the batches (conf/data/)."""

    name: str = Field(min_length=1, description="name of the data set in tables and folders")
    source: Target
    image_shape: list[PositiveInt] = Field(
        min_length=2,
        max_length=3,
        description="shape of an image of the source: [channels, height, width] or [channels, length]",
    )
    classes: int = Field(ge=2, description="number of classes")
    canvas: DimensionNumber | None
    position: OffsetChoice
    shift: Shift
    permute_pixels: NonNegativeInt | None  # null: pixels stay where they are
    train_size: SampleCount | None  # null: all samples that are not used for validation
    val_size: SampleCount
    split_seed: NonNegativeInt
    batch_size: PositiveInt
    eval_batch_size: PositiveInt
    memory_gb: PositiveFloat
    workers: PositiveInt

    @field_validator("image_shape")
    @classmethod
    def _channels_first(cls, shape: list[int]) -> list[int]:
        if len(shape) == 3 and shape[0] == shape[1] >= SIDE_OF_AN_IMAGE and shape[2] in (1, 3):
            raise ValueError(f"should have its channels first: {[shape[2], *shape[:2]]}")
        return shape

    def placement(self) -> Placement:
        """Where the images lie on their canvas and how far they move, in pixels.

        Raises:
            ValueError: naming the setting that does not go with the size of the images.
        """
        return build_placement(self)

    @property
    def input_shape(self) -> Size:
        """Shape (C, H, W) of what the network sees: the canvas, or the window that is cropped from it."""
        return (self.image_shape[0], *self.placement().input_size)
