"""Explain errors of Hydra and OmegaConf in one line."""

import re
from pathlib import Path
from typing import Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from convexp.config.command_line.parse import CommandLine
from convexp.config.hydra_context import without_hydra
from convexp.config.messages.suggestions import (
    explain_skeleton_setting,
    suggest_anywhere,
    suggest_option,
    suggest_path,
    suggest_setting,
)
from convexp.config.messages.trainer import explain_trainer_setting
from convexp.config.messages.unreadable import explain_unreadable
from convexp.config.options import list_options
from convexp.config.schema import Config
from convexp.config.signatures.settable import takes_setting
from convexp.config.signatures.trainer import trainer_signature

DEVELOPER_DETAILS = "\n    full_key"  # begins what OmegaConf adds for its own developers


def explain_hydra_error(error: HydraException | OmegaConfBaseException | YAMLError, line: CommandLine, config_name: str) -> str:
    """The setting, its value and what would be right, in one line.

    Args:
        error: what was raised while the configuration was composed.
        line: the command line.
        config_name: name of the primary configuration, ``train`` or ``eval``.
    """
    text = str(error) or str(error.__cause__)
    if isinstance(error, MissingConfigException):
        return _missing_configuration(text, config_name) or _missing_option(text, line)
    if isinstance(error, OverrideParseException):
        return explain_unreadable(str(error.override), config_name)
    if unknown := re.search(r"Could not override '([^']+)'", text):
        return _unknown_setting(unknown[1], line, config_name)
    if several := re.search("Ambiguous value for argument '([^=]+)=(.+?)'", text):
        setting, values = several.groups()
        runs = "several values" if config_name == "eval" else "several values are several runs, which -m does"
        or_list = "" if list_options(setting, line.sources()) else f"; a list is written {setting}=[{values}]"
        return f"{setting}={values}: {runs}{or_list}"
    if group := re.search(r"In '[^']+': Could not find '([^']+)'", text):
        return f"{group[1]}: there is no such option"
    if merged := re.match("Error merging override (.*)", text):
        return f"{merged[1]}: {str(error.__cause__).partition(DEVELOPER_DETAILS)[0]}"
    return " ".join(text.split())


def _missing_configuration(text: str, config_name: str) -> str | None:
    """From Hydra's ``Cannot find primary config 'mine'``, or its folder; None if it is about anything else."""
    found = re.search("Cannot find primary config '(.+?)'", text)
    if re.match("Primary config (directory|module)", text) or (found and found[1] == config_name):
        return "--config-path: is no folder of convexp's configurations; leave it out, and name one of yours by --config-dir"
    if found is None:
        return None
    return f"--config-name={found[1]}: there is no {found[1]}.yaml; leave it out, or name its folder by --config-dir"


def _missing_option(text: str, line: CommandLine) -> str:
    """From Hydra's ``Could not find 'model/cnov'`` and its list of options."""
    found = re.search(r"[Cc]ould not (?:find|load) '([^']+)'", text)
    name = found[1] if found else "?"
    group, option = _split_option(name, line)
    listed = re.search(r"Available options in '[^']+':\n((?:\t.+\n?)+)", text)
    names = listed[1].split() if listed and "/" not in option else list_options(group, line.sources()) if group else []
    if not group:
        return f"{name}: there is no such group or file"
    return f"{group}={option}: there is no such option{suggest_option(group, option, names)}"


def _split_option(name: str, line: CommandLine) -> tuple[str, str]:
    """The group and the option of ``study/paper/ott``: study and paper/ott, as options may lie in folders of a group."""
    parts = name.split("/")
    groups = ["/".join(parts[:count]) for count in range(1, len(parts))]
    group = next((each for each in groups if list_options(each, line.sources())), "/".join(parts[:-1]))
    return group, name[len(group) :].lstrip("/")


def _unknown_setting(setting: str, line: CommandLine, config_name: str) -> str:
    """A setting that no YAML file has: it may be misspelled, or an argument of its ``_target_`` that has to be added."""
    override = line.override(setting)
    others = _compose_without(line, config_name, override)
    section, (parent, _, name) = setting.partition(".")[0], setting.rpartition(".")
    values: Any = OmegaConf.to_container(others, resolve=False)
    if others and section not in (*others, "hydra"):
        if config_name == "eval" and section in Config.model_fields:
            return f"{setting}: is a setting of a training, and convexp-eval takes those of the run as they are"
        return f"{setting}: there is no such setting{suggest_path(setting, values) or suggest_anywhere(section, values)}"
    if section == "trainer" and setting.count(".") == 1:
        return _unknown_trainer_setting(setting.partition(".")[2], override)
    if parent and OmegaConf.select(others, parent) is None and (suggestion := suggest_path(setting, values)):
        return f"{setting}: there is no such setting{suggestion}"
    target = OmegaConf.select(others, f"{parent}._target_")
    if target is not None and takes_setting(setting, target):
        example = override or f"{setting}=..."
        return f"{setting}: is an argument of {target}, but in no YAML file; to add it, write a plus before it: +{example}"
    of_skeleton = parent == "model" and OmegaConf.select(others, "model.network") is not None
    reason = explain_skeleton_setting(name) if of_skeleton else None
    return reason or f"{setting}: there is no such setting{suggest_setting(setting, target)}"


def _unknown_trainer_setting(name: str, override: str | None) -> str:
    """An argument of Lightning's Trainer that no YAML file has, or a name that the Trainer does not know."""
    if name in trainer_signature().schemas:
        example = override or f"trainer.{name}=..."
        return f"trainer.{name}: is an argument of Lightning's Trainer, but in no YAML file; to add it: +{example}"
    return explain_trainer_setting(name)


def _compose_without(line: CommandLine, config_name: str, override: str | None) -> DictConfig:
    """The configuration without the override; empty if there are further mistakes."""
    try:
        return without_hydra(line.compose(config_name, without=override))
    except (HydraException, OmegaConfBaseException):
        return OmegaConf.create()


def explain_encoding_error(line: CommandLine) -> str | None:
    """Name the first YAML file, of those that Hydra may have read, that is not in UTF-8; None if all are."""
    folders = [Path("conf"), *(source.folder for source in reversed(line.sources()))]
    for file in (file for folder in folders for file in sorted(folder.rglob("*.yaml"))):
        try:
            file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            return f"{file}: is not in UTF-8 (byte {error.start}: {error.reason}); save it as UTF-8"
    return None
