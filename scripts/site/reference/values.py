"""Types and defaults of settings in words."""

from typing import Any

from convexp.config.instantiate import PARTIAL, TARGET
from convexp.config.json_schemas.values import BUILT, INTERPOLATION, Schema, any_of
from convexp.config.signatures.value_types import describe_values

UNKNOWN = object()  # no file and no signature gives a default


def describe_type(schema: Schema) -> str:
    """The values that a setting may have, in words; empty if nothing restricts them."""
    bare = without_references(schema)
    kinds = bare.get("anyOf", [bare])
    if any(kind.get("type") == "object" for kind in kinds):
        return "a mapping of names to values"
    return describe_values(bare)


def describe_default(value: Any) -> str:
    """The default as it would be typed; a dash if there is none."""
    if value is UNKNOWN:
        return "\N{EN DASH}"
    if value == "???":
        return "none, it has to be given"
    return f"`{typed(value)}`"


def typed(value: Any) -> str:
    """A plain value as it is typed on the command line."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(typed, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {typed(item)}' for key, item in value.items())}}}"
        case _:
            return str(value)


def without_references(schema: Schema) -> Schema:
    """The schema without what every setting may also be: a reference to another setting, or a value that is built."""
    bare = {key: value for key, value in schema.items() if key not in ("description", "default")}
    if "anyOf" not in bare:
        return bare
    return any_of([without_references(part) for part in bare["anyOf"] if part not in (INTERPOLATION, BUILT)])


def accepts_null(schema: Schema) -> bool:
    """Whether the setting may be null."""
    return any(part.get("type") == "null" for part in parts(schema))


def names_target(schema: Schema) -> bool:
    """Whether the section names one class or function by ``_target_``."""
    return any(TARGET in part.get("properties", {}) for part in parts(schema))


def names_targets(schema: Schema) -> bool:
    """Whether all that the section holds is the arguments of a ``_target_``, or several of these under their names."""
    others = [part.get("additionalProperties") for part in parts(schema)]
    own = {name for part in parts(schema) for name in part.get("properties", {})} - {TARGET, PARTIAL}
    return (names_target(schema) and not own) or any(isinstance(each, dict) and names_target(each) for each in others)


def parts(schema: Schema) -> list[Schema]:
    """The kinds of values that the schema allows, itself included."""
    return [schema, *schema.get("anyOf", [])]
