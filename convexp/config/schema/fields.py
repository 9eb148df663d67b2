"""Types of settings that several sections use: values for each stage or dimension, offsets, numbers of samples."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, NonNegativeInt, PositiveInt, TypeAdapter, ValidationError, WithJsonSchema

from convexp.geometry.pooling import Pool
from convexp.geometry.skeleton import PaddingMode
from convexp.geometry.subset_size import check_subset_size


def _one_or_list(item: Any, several: Any) -> BeforeValidator:
    """Accept one value of the type ``item``, or a list of values of the type ``several``."""
    one: TypeAdapter[Any] = TypeAdapter(item)
    many: TypeAdapter[Any] = TypeAdapter(several)

    def check(value: Any) -> Any:
        try:
            if isinstance(value, list):
                return [many.validate_python(each, strict=True) for each in value]
            return one.validate_python(value, strict=True)
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None

    return BeforeValidator(check)


def _one_or_list_schema(item: Any, several: Any) -> WithJsonSchema:
    """The JSON schema of such a setting, from which ``--help SETTING`` describes its values."""
    items = TypeAdapter[Any](several).json_schema()
    return WithJsonSchema({"anyOf": [TypeAdapter[Any](item).json_schema(), {"type": "array", "items": items}]})


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


_PADDING_VALUES = WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"enum": ["same", "valid"]}]})
_Padding = Annotated[int | str, AfterValidator(_check_padding), _PADDING_VALUES]

# One whole number for all dimensions, or one for each: [height, width].
DimensionNumber = Annotated[Any, _one_or_list(PositiveInt, PositiveInt), _one_or_list_schema(PositiveInt, PositiveInt)]
_DimensionPadding = Annotated[Any, _one_or_list(_Padding, NonNegativeInt), _one_or_list_schema(_Padding, NonNegativeInt)]
# One value for all stages, or a list with one for each; a number of a stage may be a list itself, with one for each dimension.
StageNumber = Annotated[Any, _one_or_list(PositiveInt, DimensionNumber), _one_or_list_schema(PositiveInt, DimensionNumber)]
StagePadding = Annotated[Any, _one_or_list(_Padding, _DimensionPadding), _one_or_list_schema(_Padding, _DimensionPadding)]
StagePaddingMode = Annotated[Any, _one_or_list(PaddingMode, PaddingMode), _one_or_list_schema(PaddingMode, PaddingMode)]
StagePool = Annotated[Any, _one_or_list(Pool, Pool), _one_or_list_schema(Pool, Pool)]

_OFFSETS = {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "array"}]}
OffsetChoice = Annotated[Any, BeforeValidator(_check_offsets), WithJsonSchema(_OFFSETS)]

_COUNTS = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "number", "exclusiveMinimum": 0, "maximum": 1}]}
SampleCount = Annotated[Any, BeforeValidator(check_subset_size), WithJsonSchema(_COUNTS)]


def _check_batches(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not value > 0 or (isinstance(value, float) and value > 1):
        raise ValueError("Input should be a number of batches (1, 2, ...) or a share of them (above 0, up to 1.0)")
    return value


def _check_batches_or_none(value: Any) -> Any:
    return value if value == 0 and type(value) is int else _check_batches(value)


BatchCount = Annotated[Any, BeforeValidator(_check_batches), WithJsonSchema(_COUNTS)]
_COUNTS_OR_NONE = {"anyOf": [{"type": "integer", "minimum": 0}, _COUNTS["anyOf"][1]]}
BatchCountOrNone = Annotated[Any, BeforeValidator(_check_batches_or_none), WithJsonSchema(_COUNTS_OR_NONE)]
