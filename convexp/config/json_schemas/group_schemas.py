"""The JSON schema (draft 7) of the files of every group."""

from collections.abc import Sequence
from pathlib import Path

from convexp.config.json_schemas.conf_files import ConfFile, groups, read_conf_files
from convexp.config.json_schemas.defaults_lists import defaults_schema
from convexp.config.json_schemas.known import ANY, Known, collect
from convexp.config.json_schemas.sections import section_schema
from convexp.config.json_schemas.targets import required_arguments
from convexp.config.json_schemas.values import Schema
from convexp.config.options import MULTIPLE_CHOICE
from convexp.config.schema import Config, Evaluation, Probing, Section, Target

DIALECT = "http://json-schema.org/draft-07/schema#"
HYDRA: Schema = {"type": "object", "description": "settings of Hydra: folders, sweeps, logging"}


def build_schemas(folders: Sequence[Path]) -> dict[str, Schema]:
    """The schemas of the YAML files in ``folders``, by the name of the file that holds each (``ConfFile.schema``).

    Args:
        folders: folders of configurations, the first of which has priority; convexp's own is one of them.
    """
    files = read_conf_files(folders)
    training = collect(file for file in files if file.schema not in ("eval.json", "probe.json"))
    schemas = {f"{group.replace('/', '_')}.json": _group_schema(group, files, training) for group in _sections()}
    schemas["train.json"] = _whole(files, training)
    schemas["eval.json"] = _evaluation(files, training)
    schemas["probe.json"] = _probing(files, training)
    return {name: {"$schema": DIALECT} | schema for name, schema in sorted(schemas.items())}


def _sections() -> list[str]:
    """The groups whose files hold a section: all but those whose files change settings of all sections."""
    hydra = [group for group in groups() if group.startswith("hydra/")]
    return [*(name for name in groups() if name in Config.model_fields and name != "study"), *hydra]


def _whole(files: list[ConfFile], known: Known) -> Schema:
    """The schema of a file of the whole configuration, or of any part of it: of studies, experiments and own defaults, too."""
    root = Config.model_json_schema()
    schema = section_schema(root, "", root, known)
    schema["properties"] |= {"defaults": defaults_schema(files, ""), "hydra": HYDRA}
    return schema


def _evaluation(files: list[ConfFile], known: Known) -> Schema:
    """The schema of ``eval.yaml``."""
    schema = _of_command(Evaluation, "eval.json", files, known)
    schema["properties"] |= {"probes": _section("probes", known)}
    return schema


def _probing(files: list[ConfFile], known: Known) -> Schema:
    """The schema of ``probe.yaml``."""
    schema = _of_command(Probing, "probe.json", files, known)
    named = schema["properties"]["network"]
    schema["properties"] |= {"network": {"anyOf": [named, {"type": "null"}]}}  # the command line names it
    return schema


def _of_command(kind: type[Section], name: str, files: list[ConfFile], known: Known) -> Schema:
    """The schema of the primary file of a command, whose settings ``kind`` has, and the file's comments explain."""
    root = kind.model_json_schema()
    said = collect(file for file in files if file.schema == name)
    schema = section_schema(root, "", root, known)
    for (setting, _), meaning in said.meanings.items():
        schema["properties"].get(setting, {}).setdefault("description", meaning)
    schema["properties"] |= {"defaults": defaults_schema(files, ""), "hydra": HYDRA}
    return schema


def _group_schema(group: str, files: list[ConfFile], known: Known) -> Schema:
    """The schema of a file of ``group``: its section, a defaults list, and what it has to say if it stands alone."""
    section = group.replace("/", ".")
    schema = _section(section, known)
    _add_key(schema, "defaults", defaults_schema(files, group))
    alone = required_arguments(f"{section}.{ANY}" if group in MULTIPLE_CHOICE else section, known)
    if not alone:
        return schema
    then: Schema = {"additionalProperties": {"allOf": alone}} if group in MULTIPLE_CHOICE else {"allOf": alone}
    return schema | {"if": {"not": {"required": ["defaults"]}}, "then": then}


def _section(section: str, known: Known) -> Schema:
    if section not in Config.model_fields:
        root = Target.model_json_schema() if section in known.targets else {"type": "object"}
        return section_schema(root, section, root, known)
    root = Config.model_json_schema()
    return section_schema(root["properties"][section], section, root, known)


def _add_key(schema: Schema, key: str, value: Schema) -> None:
    """Allow ``key`` wherever ``schema`` says which keys there may be."""
    if "properties" in schema:
        schema["properties"] = {key: value, **schema["properties"]}
    for part in schema.get("anyOf", []):
        _add_key(part, key, value)
    for conditional in schema.get("allOf", []):
        _add_key(conditional["then"], key, {})  # allowed there; described above
