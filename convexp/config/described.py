"""A setting for people: its value, what it may be, what it means."""

import difflib
import re
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from convexp.config.comments import meaning, used_files
from convexp.config.instantiate import PARTIAL, TARGET
from convexp.config.kinds import Kind, choices, words
from convexp.config.schema import Config
from convexp.config.targets import Signature, signature
from convexp.errors import ConfigError


@dataclass(frozen=True)
class Described:
    """A setting, its present value, what it may be (in words, "" if only its meaning tells), and what it means."""

    setting: str
    value: Any
    allowed: str
    meaning: str


def describe(cfg: DictConfig, config_name: str, name: str) -> list[Described]:
    """The setting ``name`` of a configuration (with Hydra's part), or all settings below it.

    Raises:
        ConfigError: if there is none, with the nearest name that exists.
    """
    plain: Any = OmegaConf.to_container(cfg, resolve=False)
    everything = dict(_leaves(plain))
    below = [setting for setting in everything if setting.startswith(f"{name}.")]
    if name not in everything and not below and (addable := _addable(cfg, name)):
        return [addable]
    if name not in everything and not below:
        close = difflib.get_close_matches(name, everything, n=1)
        raise ConfigError(f"{name}: there is no such setting{f'; did you mean {close[0]}?' if close else ''}")
    wanted = [name] if name in everything else [s for s in below if s.rpartition(".")[2] not in (TARGET, PARTIAL)]
    used = used_files(cfg, config_name)
    return [_described(cfg, setting, everything[setting], meaning(used, setting)) for setting in wanted]


def completions(cfg: DictConfig, setting: str) -> list[str]:
    """The values that a setting may have, where they can be counted."""
    return choices(_kind(cfg, setting))


def _leaves(value: dict[Any, Any], path: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, item in value.items():
        setting = f"{path}.{key}" if path else str(key)
        found += _leaves(item, setting) if isinstance(item, dict) and item else [(setting, item)]
    return found


def _described(cfg: DictConfig, setting: str, value: Any, comment: str) -> Described:
    known, name = _signature_beside(cfg, setting), setting.rpartition(".")[2]
    allowed = _kind(cfg, setting)
    documented = known.meanings.get(name, "") if known else ""
    said = _without_choices(comment, choices(allowed)) or allowed.get("description", "") or documented
    return Described(setting, value, words(allowed), said)


def _addable(cfg: DictConfig, setting: str) -> Described | None:
    """A setting that no YAML names and that the ``_target_`` beside it takes."""
    known = _signature_beside(cfg, setting)
    target, name = OmegaConf.select(cfg, f"{setting.rpartition('.')[0]}._target_"), setting.rpartition(".")[2]
    if known is None or name not in known.kinds:
        return None
    said = f"{target} takes it, but no YAML names it; write +{setting}=..."
    return Described(setting, "as the code has it", words(known.kinds[name]), known.meanings.get(name, said))


def _without_choices(comment: str, listed: list[str]) -> str:
    """A comment that begins with ``a | b: ...``, where these are told already."""
    head = re.match(r"[\w/-]+(?: \| [\w/-]+)+(?:[:;,] |$)", comment)
    return comment[head.end() :] if head and set(re.findall(r"[\w/-]+", head[0])) <= {*listed} else comment


def _kind(cfg: DictConfig, setting: str) -> Kind:
    """As the schema has it, or the signature of the ``_target_`` beside it."""
    schema = Config.model_json_schema()
    node: Kind = schema
    for part in setting.split("."):
        node = _resolved(node, schema)
        within, others = node.get("properties", {}), node.get("additionalProperties")
        if part not in within and not isinstance(others, dict):
            known = _signature_beside(cfg, setting)
            return known.kinds.get(setting.rpartition(".")[2], {}) if known else {}
        node = within.get(part, others)
    return _resolved(node, schema)


def _resolved(node: Kind, schema: Kind) -> Kind:
    """A reference followed; of a section that may be null, the section."""
    for each in [node, *node.get("anyOf", [])]:
        if "$ref" in each:
            return schema["$defs"][each["$ref"].rpartition("/")[2]]
        if isinstance(each.get("additionalProperties"), dict):
            return each
    return node


def _signature_beside(cfg: DictConfig, setting: str) -> Signature | None:
    target = OmegaConf.select(cfg, f"{setting.rpartition('.')[0]}._target_") if "." in setting else None
    try:
        return signature(target) if isinstance(target, str) else None
    except LookupError:
        return None
