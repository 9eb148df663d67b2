"""Describe settings for ``--help SETTING``: their value, the values they may have, and what they mean."""

import re
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from convexp.config.help.comments import find_comment, yaml_files
from convexp.config.help.values import read_signature_beside, value_schema
from convexp.config.instantiate import PARTIAL, TARGET
from convexp.config.messages.suggestions import suggest
from convexp.config.messages.trainer import explain_trainer_setting
from convexp.config.signatures.trainer import REFUSED
from convexp.config.signatures.value_types import describe_values, list_values
from convexp.errors import ConfigError


@dataclass(frozen=True)
class SettingHelp:
    """What ``--help`` prints about a setting.

    Attributes:
        setting: The full name, such as ``model.readout``.
        value: The present value.
        allowed: The values it may have, in words; empty if they are not restricted or not known.
        meaning: What it means; empty if nothing says so.
    """

    setting: str
    value: Any
    allowed: str
    meaning: str


def describe_settings(cfg: DictConfig, config_name: str, name: str) -> list[SettingHelp]:
    """Describe the setting ``name``, or all settings below it.

    Args:
        cfg: the configuration, including its node ``hydra``.
        config_name: name of the primary configuration, ``train`` or ``eval``.
        name: a setting or a section.

    Raises:
        ConfigError: if there is no such setting, with the most similar name that exists.
    """
    plain: Any = OmegaConf.to_container(cfg, resolve=False)
    values = dict(_leaves(plain))
    below = [setting for setting in values if setting.startswith(f"{name}.")]
    if name not in values and not below and (addable := _describe_addable(cfg, name)):
        return [addable]
    if name in (f"trainer.{refused}" for refused in REFUSED):
        raise ConfigError(explain_trainer_setting(name.partition(".")[2]))
    if name not in values and not below:
        raise ConfigError(f"{name}: there is no such setting{suggest(name, values, list_all=False)}")
    selected = [name] if name in values else [s for s in below if s.rpartition(".")[2] not in (TARGET, PARTIAL)]
    files = yaml_files(cfg, config_name)
    return [_describe(cfg, setting, values[setting], find_comment(files, setting)) for setting in selected]


def _leaves(value: dict[Any, Any], path: str = "") -> list[tuple[str, Any]]:
    """Every setting below ``path`` with its value; a section without settings is one itself."""
    found: list[tuple[str, Any]] = []
    for key, item in value.items():
        setting = f"{path}.{key}" if path else str(key)
        found += _leaves(item, setting) if isinstance(item, dict) and item else [(setting, item)]
    return found


def _describe(cfg: DictConfig, setting: str, value: Any, comment: str) -> SettingHelp:
    schema, signature = value_schema(cfg, setting), read_signature_beside(cfg, setting)
    from_docstring = signature.meanings.get(setting.rpartition(".")[2], "") if signature else ""
    meaning = _without_values(comment, list_values(schema)) or schema.get("description", "") or from_docstring
    return SettingHelp(setting, value, describe_values(schema), meaning)


def _describe_addable(cfg: DictConfig, setting: str) -> SettingHelp | None:
    """Describe a setting that no YAML file has, but that is an argument of the ``_target_`` beside it."""
    signature = read_signature_beside(cfg, setting)
    section, _, name = setting.rpartition(".")
    if signature is None or name not in signature.schemas:
        return None
    target = OmegaConf.select(cfg, f"{section}.{TARGET}")
    owner = target or "Lightning's Trainer"
    meaning = signature.meanings.get(name, f"an argument of {owner}, but in no YAML file; to add it: +{setting}=...")
    return SettingHelp(setting, "as the code has it", describe_values(signature.schemas[name]), meaning)


def _without_values(comment: str, values: list[str]) -> str:
    """The comment without a beginning such as ``a | b: ...``, if these are ``values``, which are printed anyway."""
    head = re.match(r"[\w/-]+(?: \| [\w/-]+)+(?:[:;,] |$)", comment)
    return comment[head.end() :] if head and set(re.findall(r"[\w/-]+", head[0])) <= {*values} else comment
