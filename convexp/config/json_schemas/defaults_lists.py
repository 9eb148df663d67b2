"""The schema of ``defaults:`` lists, by which a YAML file takes over others."""

from convexp.config.json_schemas.conf_files import ConfFile, groups
from convexp.config.json_schemas.values import Schema

MEANING = "the files that this one takes over; _self_ stands for this file, and what comes later has the last word"
OPTION_MEANING = "a file of this group, without .yaml; for probes and loggers also a list of them; null for none"


def defaults_schema(files: list[ConfFile], group: str) -> Schema:
    """The schema of the defaults list of a file of ``group``: names of files of the group, and options of other groups."""
    own: Schema = {"anyOf": [{"enum": ["_self_", *_names(files, group)]}, {"type": "string"}]}
    chosen = {_key(name): _option(files, name) for name in groups()}
    others: dict[str, Schema] = {"@|hydra/": {}}  # packages, and groups of Hydra itself: it knows about them
    other: Schema = {"type": "object", "patternProperties": chosen | others, "additionalProperties": False, "maxProperties": 1}
    return {"description": MEANING, "type": "array", "items": {"anyOf": [own, other]}}


def _key(group: str) -> str:
    """The pattern of the ways to name ``group``: ``group``, ``/group``, ``override /group``, ``optional group``."""
    return rf"^(override |optional )?/?{group}$"


def _option(files: list[ConfFile], group: str) -> Schema:
    names = _names(files, group)  # for completion; others are a user's own
    one: Schema = {"anyOf": [*([{"enum": names}] if names else []), {"type": ["string", "null"]}]}
    return {"description": OPTION_MEANING, "anyOf": [one, {"type": "array", "items": one}]}


def _names(files: list[ConfFile], group: str) -> list[str]:
    return sorted({file.path.stem for file in files if file.group == group})
