"""Schemas of single values, as they may stand in a YAML file."""

from typing import Any

from convexp.config.instantiate import TARGET
from convexp.config.json_schemas.known import Known, place

Schema = dict[str, Any]

# ${another.setting}, or ??? for what the user has to say.
INTERPOLATION: Schema = {"type": "string", "pattern": r"\$\{|^\?\?\?$"}
BUILT: Schema = {"type": "object", "required": [TARGET]}  # an argument that is itself built from a target


def any_of(schemas: list[Schema]) -> Schema:
    """What matches one of ``schemas``, each of which stands in it once; anything, if one of them allows anything."""
    flat: list[Schema] = []
    for schema in schemas:
        for each in schema["anyOf"] if set(schema) == {"anyOf"} else [schema]:
            flat += [each] if each not in flat else []
    if not all(flat):
        return {}
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def or_interpolation(schema: Schema) -> Schema:
    """``schema``, or a text that OmegaConf replaces by a value."""
    return any_of([schema, INTERPOLATION]) if schema else {}


def documented(schema: Schema, known: Known, setting: str, target: str = "", meaning: str = "", default: Any = None) -> Schema:
    """``schema`` with what editors show: what the setting means, and the value that it has unless a file gives another."""
    meaning = known.meanings.get(place(setting, target)) or meaning
    value = known.values.get(place(setting, target), default)
    found: Schema = {"description": meaning} if meaning else {}
    if isinstance(value, bool | int | float | str | list) and "${" not in str(value) and value != "???":
        found["default"] = value
    return found | schema
