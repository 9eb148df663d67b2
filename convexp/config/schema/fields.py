"""Types of settings that several sections use: values for each stage, offsets in pixels, numbers of samples."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PositiveInt, TypeAdapter, ValidationError, WithJsonSchema

from convexp.geometry.skeleton import PaddingMode, Pool
from convexp.geometry.subset_size import check_subset_size


def _per_stage(item: Any) -> BeforeValidator:
    """Accept one value of the type ``item`` for all stages, or a list with one value for each."""
    one: TypeAdapter[Any] = TypeAdapter(item)

    def check(value: Any) -> Any:
        values: list[Any] = value if isinstance(value, list) else [value]
        try:
            checked = [one.validate_python(v, strict=True) for v in values]
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        return checked if isinstance(value, list) else checked[0]

    return BeforeValidator(check)


def _per_stage_schema(item: Any) -> WithJsonSchema:
    """The JSON schema of such a setting, from which ``--help SETTING`` describes its values."""
    one = TypeAdapter[Any](item).json_schema()
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": one}]})


def _check_padding(value: int | str) -> int | str:
    if value in ("same", "valid") or (isinstance(value, int) and value >= 0):
        return value
    raise ValueError("Input should be a number of pixels (0 or more), 'same' or 'valid'")


def _check_offsets(value: Any) -> Any:
    """Accept numbers, words, lists of integers and lists of such lists; ``convexp.geometry.placement`` interprets them."""
    if isinstance(value, list):
        valid = all(map(_is_integer, value)) or all(isinstance(v, list) and all(map(_is_integer, v)) for v in value)
    else:
        valid = isinstance(value, str | float) or _is_integer(value)
    if not valid:
        raise ValueError("Input should be a number, a word, a list of whole numbers or a list of such lists")
    return value


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_PADDING = Annotated[Any, WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"enum": ["same", "valid"]}]})]
StageNumber = Annotated[Any, _per_stage(PositiveInt), _per_stage_schema(PositiveInt)]
StagePadding = Annotated[Any, _per_stage(Annotated[int | str, AfterValidator(_check_padding)]), _per_stage_schema(_PADDING)]
StagePaddingMode = Annotated[Any, _per_stage(PaddingMode), _per_stage_schema(PaddingMode)]
StagePool = Annotated[Any, _per_stage(Pool), _per_stage_schema(Pool)]

_OFFSETS = {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "array"}]}
OffsetChoice = Annotated[Any, BeforeValidator(_check_offsets), WithJsonSchema(_OFFSETS)]

_COUNTS = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "number", "exclusiveMinimum": 0, "maximum": 1}]}
SampleCount = Annotated[Any, BeforeValidator(check_subset_size), WithJsonSchema(_COUNTS)]
