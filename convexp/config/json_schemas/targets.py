"""Schemas of what a ``_target_`` takes, from its signature."""

from dataclasses import dataclass
from typing import Any

from convexp.config.checks.targets import is_built_later
from convexp.config.instantiate import PARTIAL, TARGET
from convexp.config.json_schemas.known import ANY, Known
from convexp.config.json_schemas.values import BUILT, Schema, any_of, documented, or_interpolation
from convexp.config.schema.task import OWN_SETTINGS
from convexp.config.signatures.settable import provided_arguments
from convexp.config.signatures.signature import Signature, read_signature

OF_SECTIONS = (*OWN_SETTINGS, "groups")  # settings of task and optimizer that are no arguments of their targets
TARGET_MEANING = "the class or function that is called with the settings beside it: package.module.Name"
PARTIAL_MEANING = "true: it is called later, with further arguments"


@dataclass(frozen=True)
class Arguments:
    """The arguments of a target that are settings, and whether it may take others that are not known here."""

    schemas: dict[str, Schema]
    open: bool

    def schema(self) -> Schema:
        """The schema of a section that has these arguments."""
        return {"properties": {TARGET: {}, PARTIAL: {}} | self.schemas, "additionalProperties": self.open}


def target_schema(setting: str, typed: dict[str, Schema], known: Known) -> Schema:
    """The schema of a section that names a target.

    Where the section says which target, its arguments are those of this target's signature. Where it does not, because it
    changes settings of a target that another file names, they are those of all targets that the YAML files have at this place.

    Args:
        setting: the section, such as ``optimizer`` or ``probes.shift_map``.
        typed: schemas of the settings that the section has with every target.
        known: what the YAML files say.
    """
    found = {target: _arguments(setting, target, typed, known) for target in known.targets_at(setting)}
    chosen = [_if_target(target, arguments.schema()) for target, arguments in found.items()]
    unsaid = [_if_target(None, _union(list(found.values())).schema())] if found and not setting.endswith(ANY) else []
    described = {name: _described(name, schema, found) for name, schema in typed.items()}
    schema: Schema = {"type": "object", "properties": _own_keys(setting, list(found)) | described}
    return schema | ({"allOf": [*chosen, *unsaid]} if found else {})


def required_arguments(setting: str, known: Known) -> list[Schema]:
    """What a file has to give if it names a target and takes nothing from other files."""
    found: list[Schema] = []
    for target in known.targets_at(setting):
        signature = _signature(target)
        if signature and (missing := signature.required - provided_arguments(setting)):
            found.append(_if_target(target, {"required": sorted(missing)}))
    return found


def _own_keys(setting: str, targets: list[str]) -> dict[str, Schema]:
    """The keys ``_target_``, with the known targets for completion, and ``_partial_``."""
    names: Schema = any_of([*([{"enum": targets}] if targets else []), {"type": "string", "minLength": 1}])
    return {
        TARGET: {"description": TARGET_MEANING, **names},
        PARTIAL: {"description": PARTIAL_MEANING, "enum": [is_built_later(setting)]},
    }


def _described(name: str, schema: Schema, found: dict[str, Arguments]) -> Schema:
    """``schema`` with what the first of the targets that explain this argument says about it."""
    said = (arguments.schemas.get(name, {}).get("description") for arguments in found.values())
    meaning = next(filter(None, said), None)
    return ({"description": meaning} if meaning else {}) | schema


def _if_target(target: str | None, then: Schema) -> Schema:
    """``then``, if the section names ``target``; with None, if it names none."""
    named: Schema = {"required": [TARGET]}
    condition = {"not": named} if target is None else {"properties": {TARGET: {"const": target}}, **named}
    return {"if": condition, "then": then}


def _arguments(setting: str, target: str, typed: dict[str, Schema], known: Known) -> Arguments:
    """The settings beside ``target``: its arguments, and what belongs to the section whatever the target is."""
    signature = _signature(target)
    if signature is None:
        return Arguments({}, open=True)
    own = {name: typed[name] for name in OF_SECTIONS if name in typed}
    names = [name for name in signature.schemas if name not in provided_arguments(setting)]
    schemas = {name: _argument(f"{setting}.{name}", target, signature, typed.get(name), known) for name in names}
    return Arguments(own | schemas, signature.open)


def _argument(setting: str, target: str, signature: Signature, typed: Schema | None, known: Known) -> Schema:
    name = setting.rpartition(".")[2]
    schema = signature.schemas[name]
    values = typed or (any_of([or_interpolation(dict(schema)), BUILT]) if schema else {})
    default: Any = signature.defaults.get(name)
    return documented(values, known, setting, target, signature.meanings.get(name, ""), default)


def _union(each: list[Arguments]) -> Arguments:
    """The arguments of several targets together; a name that several of them have takes the values of all."""
    found: dict[str, list[Schema]] = {}
    for arguments in each:
        for name, schema in arguments.schemas.items():
            found.setdefault(name, []).append(schema)
    return Arguments({name: _merged(schemas) for name, schemas in found.items()}, any(arguments.open for arguments in each))


def _merged(schemas: list[Schema]) -> Schema:
    if len(schemas) == 1:
        return schemas[0]
    bare = [{key: value for key, value in schema.items() if key not in ("description", "default")} for schema in schemas]
    meaning = next((schema["description"] for schema in schemas if "description" in schema), None)
    return ({"description": meaning} if meaning else {}) | any_of(bare)


def _signature(target: str) -> Signature | None:
    try:
        return read_signature(target)
    except LookupError:
        return None
