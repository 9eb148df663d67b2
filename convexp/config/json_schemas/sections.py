"""Schemas of sections, from the pydantic schema of the configuration."""

from typing import Any

from convexp.config.instantiate import TARGET
from convexp.config.json_schemas.known import ANY, Known
from convexp.config.json_schemas.targets import target_schema
from convexp.config.json_schemas.values import Schema, any_of, documented, or_interpolation
from convexp.config.signatures.trainer import trainer_signature

LEFT_OUT = ("title", "default", "$defs", "discriminator")


def section_schema(node: Schema, setting: str, root: Schema, known: Known) -> Schema:
    """The schema of ``setting`` as a YAML file may have it: any part of it, with interpolations.

    Args:
        node: the schema that pydantic has for it.
        setting: the setting; empty for the whole configuration.
        root: pydantic's schema of the whole configuration, which ``node`` may refer to.
        known: what the YAML files say.
    """
    if "$ref" in node:
        node = {**root["$defs"][node["$ref"].rpartition("/")[2]], **{key: node[key] for key in node if key != "$ref"}}
    if "oneOf" in node or "anyOf" in node:
        parts = [section_schema(part, setting, root, known) for part in node.get("anyOf") or node["oneOf"]]
        return _said(any_of([_bare(part) for part in parts]), node, setting, known)
    if node.get("type") == "object" and setting:
        return _said(or_interpolation(_object(node, setting, root, known)), node, setting, known)
    return _object(node, setting, root, known) if node.get("type") == "object" else _said(_value(node), node, setting, known)


def _object(node: Schema, setting: str, root: Schema, known: Known) -> Schema:
    def below(name: str, child: Schema) -> Schema:
        return section_schema(child, f"{setting}.{name}" if setting else name, root, known)

    properties: dict[str, Schema] = {name: below(name, child) for name, child in node.get("properties", {}).items()}
    if TARGET in properties:
        del properties[TARGET]
        return target_schema(setting, properties, known)
    others: Any = node.get("additionalProperties", True)
    if isinstance(others, dict):
        properties |= {name: below(name, others) for name in known.names_below(setting)}
        others = below(ANY, others)
    if setting == "trainer":
        others, properties = False, _other_arguments_of_the_trainer(known) | properties
    return {"type": "object", "properties": properties, "additionalProperties": others}


def _other_arguments_of_the_trainer(known: Known) -> dict[str, Schema]:
    """Arguments of Lightning's Trainer that the schema of convexp does not have, as its present version takes them."""
    found = trainer_signature()
    return {
        name: documented(or_interpolation(schema), known, f"trainer.{name}", meaning=found.meanings.get(name, ""))
        for name, schema in found.schemas.items()
    }


def _value(node: Schema) -> Schema:
    """The schema of a single value; that of a list of fixed length as draft 7 of JSON Schema has it."""
    kept = {key: value for key, value in node.items() if key not in (*LEFT_OUT, "description")}
    if "prefixItems" in kept:
        kept["items"] = kept.pop("prefixItems")
    return or_interpolation(kept)


def _said(schema: Schema, node: Schema, setting: str, known: Known) -> Schema:
    return documented(schema, known, setting, meaning=node.get("description", ""))


def _bare(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in ("description", "default")}
