"""The sections of a ``result.json``, each checked; what is wrong is named with the field."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct, structs

from convexp.machine.environment import GitState, Hardware
from convexp.records.damage import DamagedError, converted, decoded, dictionary
from convexp.records.numbers import LARGEST, is_moderate, is_number
from convexp.records.record import DataRecord, EpochRecord, ExtensionRecord, NetworkRecord, OriginRecord, ProbeRecord, Seconds

DEEPEST = 50  # levels of sections in sections; they are processed by recursion

Moderate = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
Line = list[Moderate | None]


class _ShiftMap(Struct):
    maps: Raw = Raw(b"null")


class _Probes(Struct):
    shift_map: _ShiftMap | None = None


class _Totals(Struct):
    parameters: int
    flops: int
    width: float
    relaxed_parameters: int | None = None
    relaxed_flops: int | None = None


ANYTHING = msgspec.json.Decoder(Any)
NUMBERS = msgspec.json.Decoder(dict[str, Moderate] | None)
TOTALS = msgspec.json.Decoder(_Totals)
SHIFT_MAP = msgspec.json.Decoder(_Probes | None)
MAPS = {  # of the shift map, and the types that they may have
    "accuracy": (list[Line], Line),
    "radius": (Line,),
}


class _Maps(Struct):
    accuracy: list[Line] | None = None
    radius: Line | None = None


USUAL_MAPS = msgspec.json.Decoder(_Maps)


def plain(name: str, content: bytes, text: Callable[[str], str]) -> Any:
    """Decode a section to plain containers, every text of it changed by ``text``.

    Raises:
        DamagedError: If it is no JSON, or has more than 50 levels.
    """
    try:
        return _changed(decoded(ANYTHING, content, name), text, DEEPEST)
    except RecursionError:
        raise DamagedError(f"{name}: is nested too deeply") from None


def _changed(value: Any, text: Callable[[str], str], depth: int) -> Any:
    if depth == 0:
        raise RecursionError
    if isinstance(value, dict):
        return {text(key): _changed(item, text, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_changed(item, text, depth - 1) for item in value]
    return text(value) if isinstance(value, str) else value


def network(values: dict[str, Any]) -> NetworkRecord | None:
    """The network; None for an empty section."""
    if not values:
        return None
    return _moderate(converted(values, NetworkRecord, "network"))


def network_totals(raw: Raw) -> NetworkRecord | None:
    """The network without its layers; None for an empty section."""
    try:
        found = decoded(TOTALS, raw, "network")
    except DamagedError:
        values = dictionary(plain("network", bytes(raw), str), "network")
        return network({key: value for key, value in values.items() if key != "layers"})
    return _moderate(NetworkRecord(**structs.asdict(found)))


def _moderate(found: NetworkRecord) -> NetworkRecord:
    """The network, if its numbers can be averaged."""
    for name in ("parameters", "flops", "width", "relaxed_parameters", "relaxed_flops"):
        number = getattr(found, name)
        if number is not None and not is_moderate(number):
            raise DamagedError(f"network.{name}: is too large a number")
    return found


def data(values: dict[str, Any]) -> DataRecord:
    """The data; keys that are not fields are the notes of its source."""
    fields = {key: values[key] for key in DataRecord.__struct_fields__ if key in values and key != "notes"}
    notes = {key: value for key, value in values.items() if key not in fields}
    return converted(fields | {"notes": notes}, DataRecord, "data")


def git(values: dict[str, Any]) -> GitState:
    """The state of the code."""
    return converted(values, GitState, "git")


def hardware(values: dict[str, Any]) -> Hardware | None:
    """The hardware; None for an empty section."""
    return converted(values, Hardware, "hardware") if values else None


def versions(values: dict[str, Any]) -> dict[str, str]:
    """The versions of packages."""
    return {name: converted(value, str, f"versions.{name}") for name, value in values.items()}


def numbers(name: str, raw: Raw) -> tuple[dict[str, float], tuple[str, ...]]:
    """The numbers in a section, and the names of those that are too large; these and what is no number are left out."""
    try:
        return decoded(NUMBERS, raw, name) or {}, ()
    except DamagedError:
        found = {k: v for k, v in dictionary(plain(name, bytes(raw), str), name).items() if is_number(v)}
        moderate = {k: v for k, v in found.items() if is_moderate(v)}
        return moderate, tuple(k for k in found if k not in moderate)


def seconds(raw: Raw) -> Seconds:
    """The seconds; what is no number, or too large a one, is left out."""
    found, _ = numbers("seconds", raw)
    return Seconds(**{key: found[key] for key in Seconds.__struct_fields__ if key in found})


def probes(raw: Raw) -> dict[str, ProbeRecord]:
    """What the probes measured."""
    found = dictionary(plain("probes", bytes(raw), str), "probes")
    return {name: converted(_without_nulls(value), ProbeRecord, f"probes.{name}") for name, value in found.items()}


def _without_nulls(values: Any) -> Any:
    """A section without those ``numbers`` that are null, which stands for a number that is not finite."""
    if not isinstance(values, dict) or not isinstance(values.get("numbers"), dict):
        return values
    return values | {"numbers": {name: number for name, number in values["numbers"].items() if number is not None}}


def by_epoch(raw: Raw) -> list[EpochRecord] | None:
    """What the probes measured in the course of the training."""
    found = plain("by_epoch", bytes(raw), str)
    if found is None:
        return None
    rows = converted(found, list[Any], "by_epoch")
    return [converted(_without_nulls(row), EpochRecord, f"by_epoch[{i}]") for i, row in enumerate(rows)]


def extended(raw: Raw) -> list[ExtensionRecord] | None:
    """How the number of epochs was changed."""
    found = plain("extended", bytes(raw), str)
    return None if found is None else converted(found, list[ExtensionRecord], "extended")


def taken_over(found: Any) -> OriginRecord | None:
    """Where a run was done that a sweep took over."""
    return None if found is None else converted(found, OriginRecord, "taken_over")


def parameter_groups(raw: Raw) -> dict[str, list[str]] | None:
    """The names of the parameters in each group of the optimizer; None if it has no groups."""
    found = plain("parameter_groups", bytes(raw), str)
    return None if found is None else converted(found, dict[str, list[str]], "parameter_groups")


def test_maps(raw: Raw) -> dict[str, Any] | None:
    """What the test found beyond single numbers; None if there is nothing."""
    found = plain("test_maps", bytes(raw), str)
    return None if found is None else dictionary(found, "test_maps")


def shift_map_alone(raw: Raw) -> dict[str, ProbeRecord]:
    """The maps of the shift map; those that are no lines or tables of numbers are left out."""
    found = decoded(SHIFT_MAP, raw, "probes")
    if found is None or found.shift_map is None:
        return {}
    maps = _maps(found.shift_map.maps)
    return {"shift_map": ProbeRecord(maps=maps)} if maps else {}


def _maps(raw: Raw) -> dict[str, Any]:
    try:
        usual = USUAL_MAPS.decode(raw)
        found = {"accuracy": usual.accuracy, "radius": usual.radius}
    except (msgspec.DecodeError, RecursionError):
        values = dictionary(plain("probes.shift_map.maps", bytes(raw), str), "probes.shift_map.maps")
        found = {name: _first(values.get(name), kinds) for name, kinds in MAPS.items()}
    return {name: values for name, values in found.items() if values}


def _first(value: Any, kinds: tuple[Any, ...]) -> Any:
    """The value as the first of the types that it has; None if it has none of them."""
    for kind in kinds:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            continue
    return None
