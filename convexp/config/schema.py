"""The shape of a configuration: every setting, its type and its range. The YAML files in ``conf/`` hold the values."""

from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from convexp.config.renamed import first_named
from convexp.geometry import Size, resolve_padding
from convexp.geometry.placement import (
    Offsets,
    OffsetSetting,
    Placement,
    ShiftProtocol,
    largest_shift,
    position_offsets,
    shift_offsets,
    window_size,
)
from convexp.geometry.skeleton import Activation, Norm, PaddingMode, Pool, Readout, Skeleton, Stage
from convexp.geometry.subset_size import check_subset_size
from convexp.records.identity import INDIFFERENT, PLACES


class Section(BaseModel):
    """A part of the configuration: unknown settings are errors, values are not coerced, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Target(BaseModel):
    """A thing named by ``_target_``: its other settings are checked against the signature (``convexp.config.targets``)."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, allow_inf_nan=False)
    target: str = Field(alias="_target_", min_length=1)

    def spec(self) -> dict[str, Any]:
        """The plain mapping that ``convexp.execution.build`` instantiates."""
        return self.model_dump(by_alias=True)


def _per_stage(item: Any) -> BeforeValidator:
    """A setting that is one value for all stages or a list with one value for each."""
    one: TypeAdapter[Any] = TypeAdapter(item)

    def check(value: Any) -> Any:
        values: list[Any] = value if isinstance(value, list) else [value]
        try:
            checked = [one.validate_python(v, strict=True) for v in values]
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        return checked if isinstance(value, list) else checked[0]

    return BeforeValidator(check)


def _check_padding(value: int | str) -> int | str:
    if value in ("same", "valid") or (isinstance(value, int) and value >= 0):
        return value
    raise ValueError("Input should be a number of pixels (0 or more), 'same' or 'valid'")


def _told_per_stage(item: Any) -> WithJsonSchema:
    """What ``--help SETTING`` says of it."""
    one = TypeAdapter[Any](item).json_schema()
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": one}]})


PIXELS = Annotated[Any, WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"enum": ["same", "valid"]}]})]
StageNumber = Annotated[Any, _per_stage(PositiveInt), _told_per_stage(PositiveInt)]
StagePadding = Annotated[Any, _per_stage(Annotated[int | str, AfterValidator(_check_padding)]), _told_per_stage(PIXELS)]
StageBorder = Annotated[Any, _per_stage(PaddingMode), _told_per_stage(PaddingMode)]
StagePool = Annotated[Any, _per_stage(Pool), _told_per_stage(Pool)]


class Model(Section):
    """One skeleton and the wiring of its stages (conf/model/)."""

    name: str = Field(min_length=1, description="the wiring's name in tables and folders")
    wiring: Target
    channels: list[PositiveInt]
    kernel_size: StageNumber
    stride: StageNumber
    padding: StagePadding
    dilation: StageNumber
    padding_mode: StageBorder
    pool: StagePool
    pool_size: StageNumber
    activation: Activation
    norm: Norm
    readout: Readout
    hidden: list[PositiveInt]
    bias: bool
    width: PositiveFloat

    def skeleton(self, input_shape: tuple[int, ...], classes: int) -> Skeleton:
        """The skeleton these settings describe, for images of ``input_shape`` (C, H, W), before ``width`` is applied.

        Raises:
            ValueError: naming the setting, if a list does not have one value for each stage or ``same`` has an even kernel.
        """
        dims, count = len(input_shape) - 1, len(self.channels)

        def spread(setting: str) -> list[Any]:
            value = getattr(self, setting)
            if not isinstance(value, list):
                return [value] * count
            if len(value) != count:
                raise ValueError(f"model.{setting}={value}: one value, or {count} of them as model.channels has")
            return value

        stages: list[Stage] = []
        for index in range(count):
            kernel_size = (spread("kernel_size")[index],) * dims
            dilation = (spread("dilation")[index],) * dims
            stages.append(
                Stage(
                    channels=self.channels[index],
                    kernel_size=kernel_size,
                    stride=(spread("stride")[index],) * dims,
                    padding=resolve_padding(spread("padding")[index], kernel_size, dilation),
                    dilation=dilation,
                    padding_mode=spread("padding_mode")[index],
                    pool=spread("pool")[index],
                    pool_size=(spread("pool_size")[index],) * dims,
                )
            )
        return Skeleton(
            input_shape=input_shape,
            classes=classes,
            stages=tuple(stages),
            readout=self.readout,
            hidden=tuple(self.hidden),
            activation=self.activation,
            norm=self.norm,
            bias=self.bias,
        )


def _check_choice(value: Any) -> Any:
    """Numbers, words, lists of whole numbers and lists of those; what they mean is said by ``convexp.geometry.placement``."""

    def whole(v: Any) -> bool:
        return isinstance(v, int) and not isinstance(v, bool)

    if isinstance(value, list):
        fine = all(map(whole, value)) or all(isinstance(v, list) and all(map(whole, v)) for v in value)
    else:
        fine = isinstance(value, str | float) or whole(value)
    if not fine:
        raise ValueError("Input should be a number, a word, a list of whole numbers or a list of such lists")
    return value


OFFSETS = {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "array"}]}
OffsetChoice = Annotated[Any, BeforeValidator(_check_choice), WithJsonSchema(OFFSETS)]
COUNTS = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "number", "exclusiveMinimum": 0, "maximum": 1}]}
SampleCount = Annotated[Any, BeforeValidator(check_subset_size), WithJsonSchema(COUNTS)]


class Shift(Section):
    """How the images of each part are moved on their canvas (``convexp.geometry.placement``; docs/design.md, section 4)."""

    protocol: ShiftProtocol
    window: PositiveInt | None  # crop: pixels that are seen; null: as many as the shifts leave
    train: OffsetChoice  # drawn anew in every epoch
    val: OffsetChoice  # drawn once, with split_seed
    test: OffsetChoice  # likewise


class Data(Section):
    """A source of images, its split, its canvas (conf/data/)."""

    name: str = Field(min_length=1, description="the data set's name in tables and folders")
    source: Target
    image_shape: list[PositiveInt] = Field(
        min_length=2,
        max_length=3,
        description="[channels, height, width] of an image, or [channels, length], as the source has it",
    )
    classes: int = Field(ge=2, description="how many classes there are")
    canvas: PositiveInt | None
    position: OffsetChoice
    shift: Shift
    train_size: SampleCount | None  # null: all that validation leaves
    val_size: SampleCount
    split_seed: NonNegativeInt
    batch_size: PositiveInt
    eval_batch_size: PositiveInt
    memory_gb: PositiveFloat
    workers: PositiveInt

    def placement(self) -> Placement:
        """Where the images lie and how far they move.

        Raises:
            ValueError: naming the setting that does not go with the size of the images.
        """
        size = tuple(self.image_shape[1:])
        if self.canvas is not None and self.canvas < max(size):
            raise ValueError(
                f"data.canvas={self.canvas}: is smaller than the image; {max(size)} or more, or null for no canvas"
            )
        canvas = size if self.canvas is None else (self.canvas,) * len(size)
        shift = self.shift

        def read(setting: str, choice: OffsetSetting, reader: Any, *sizes: Size) -> Offsets:
            try:
                return reader(choice, *sizes)
            except ValueError as error:
                raise ValueError(f"data.{setting}={choice}: {error}") from None

        parts = {part: read(f"shift.{part}", getattr(shift, part), shift_offsets, canvas) for part in ("train", "val", "test")}
        seen = canvas
        if shift.protocol == "crop":
            reach: Size = tuple(map(max, zip(*map(largest_shift, parts.values()), strict=True)))
            try:
                seen = window_size(canvas, shift.window, reach)
            except ValueError as error:
                said = f"data.shift.window={shift.window}" if shift.window else "data.shift.protocol=crop"
                raise ValueError(f"{said}: {error}") from None
        elif shift.window is not None:
            raise ValueError(f"data.shift.window={shift.window}: goes with data.shift.protocol=crop, or should be null")
        return Placement(
            image_size=size,
            canvas_size=canvas,
            input_size=seen,
            position=read("position", self.position, position_offsets, size, canvas),
            protocol=shift.protocol,
            **parts,
        )

    @property
    def input_shape(self) -> Size:
        """(C, H, W) of what the network sees: the image on its canvas, or the window of it."""
        return (self.image_shape[0], *self.placement().input_size)


class Optimizer(Target):
    """A ``torch.optim`` class (conf/optimizer/); further settings go to its constructor."""

    lr: PositiveFloat
    weight_decay: NonNegativeFloat = 0.0


class Trainer(Section):
    """What Lightning's Trainer is told (conf/trainer/)."""

    accelerator: Literal["cpu", "gpu", "mps", "auto"]
    max_epochs: PositiveInt
    precision: Literal["32-true", "16-mixed", "bf16-mixed", "64-true"]
    gradient_clip_val: PositiveFloat | None
    deterministic: bool
    threads: PositiveInt | None
    fast_dev_run: bool
    overfit_batches: NonNegativeInt  # 0: all
    profiler: Literal["simple", "advanced"] | None


Grid = dict[str, Any]


class Study(Section):
    """What a study asks, which runs answer it (``convexp.studies.grid``), and what is compared with what (conf/study/)."""

    name: str = Field(min_length=1)
    question: str = Field(min_length=1)
    grid: Grid | list[Grid]  # setting: values; several grids are run one after the other
    exclude: list[Grid] = []  # points of the grid that are left out: every setting named has the value, or one of the values
    compare: Grid = {}  # setting: the value that all others of it are compared with, all else equal


class Config(Section):
    """A whole run."""

    name: str
    model: Model
    data: Data
    optimizer: Optimizer
    scheduler: Target | None = None
    trainer: Trainer
    probes: dict[str, Target] | None = None
    logger: dict[str, Target] | None = None
    callbacks: dict[str, Target] | None = None
    study: Study | None
    seed: Annotated[int, Field(ge=0, lt=2**32)]  # torch's CPU generator takes no more
    probe_every: NonNegativeInt
    match: str = Field(pattern=r"^(units|params:[1-9][0-9]*|flops:[1-9][0-9]*)$")
    monitor: Literal["val/acc", "val/loss"]
    compile: bool
    outputs: str
    resume: str | None
    data_root: str | None = None
    on_failure: Literal["continue", "stop"]
    only_costs: bool

    @property
    def monitor_mode(self) -> Literal["min", "max"]:
        """Whether a larger or a smaller monitored value is better."""
        return "max" if self.monitor == "val/acc" else "min"

    def targets(self) -> dict[str, Target]:
        """Every ``_target_`` in the configuration by the setting that holds it."""
        found: dict[str, Target] = {
            "model.wiring": self.model.wiring,
            "data.source": self.data.source,
            "optimizer": self.optimizer,
        }
        if self.scheduler is not None:
            found["scheduler"] = self.scheduler
        for group in ("probes", "logger", "callbacks"):
            found |= {f"{group}.{name}": target for name, target in (getattr(self, group) or {}).items()}
        return found

    def identity(self) -> dict[str, Any]:
        """The part of the configuration that changes the result: all but where it is written and how it is watched."""
        everything = first_named(self.model_dump(by_alias=True))
        source = everything["data"]["source"]
        source |= {k: str(Path(source[k]).expanduser().resolve()) for k in ("root", "file") if k in source}
        for setting in (*INDIFFERENT, *(PLACES if "download" in source else ())):
            *sections, name = setting.split(".")
            reduce(getitem, sections, everything).pop(name, None)
        return everything
