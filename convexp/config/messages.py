"""Hydra's and OmegaConf's complaints about a configuration, in one line each."""

import re
import shlex
from pathlib import Path

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from convexp.config.check import suggest, suggest_setting, takes
from convexp.config.command_line import Told
from convexp.config.hydra_values import without_hydra
from convexp.config.paths import conf_dir

FURTHER = "\n    full_key"  # what OmegaConf adds for its own developers


def explain(error: HydraException | OmegaConfBaseException | YAMLError, told: Told, config_name: str) -> str:
    """The setting, its value, and what would be right, of a command line that says ``told``."""
    text = str(error) or str(error.__cause__)
    if isinstance(error, MissingConfigException):
        return _missing_option(text)
    if isinstance(error, OverrideParseException):
        return _unreadable(str(error.override))
    if unknown := re.search(r"Could not override '([^']+)'", text):
        return _unknown(unknown[1], told, config_name)
    if group := re.search(r"In '[^']+': Could not find '([^']+)'", text):
        return f"{group[1]}: there is no such option"
    if merged := re.match("Error merging override (.*)", text):
        return f"{merged[1]}: {str(error.__cause__).partition(FURTHER)[0]}"
    return " ".join(text.split())


def _unreadable(override: str) -> str:
    """An override that Hydra's grammar does not have: most often its value needs quotes within those of the shell."""
    setting, given, value = override.partition("=")
    asks = "" if given else f" (--help {override}: what it may be)"
    quoted = QuotedString(value, Quote.double).with_quotes()
    how = f", within the quotes of the shell: {shlex.quote(f'{setting}={quoted}')}" if " " in value.strip() else ""
    return f"{override}: cannot be read; write setting=value{asks}, and quote a value that holds commas or spaces{how}"


def _missing_option(text: str) -> str:
    """``Could not find 'model/cnov'`` and the list of what there is."""
    found = re.search(r"[Cc]ould not (?:find|load) '([^']+)'", text)
    name = found[1] if found else "?"
    group, _, option = name.rpartition("/")
    options = re.search(r"Available options in '[^']+':\n((?:\t.+\n?)+)", text)
    names = options[1].split() if options else sorted(file.stem for file in Path(conf_dir(), group).glob("*.yaml") if group)
    known = f"; there are {', '.join(names)}" if names else ""
    return f"{group}={option}: there is no such option{known}" if group else f"{name}: there is no such group or file"


def _unknown(setting: str, told: Told, config_name: str) -> str:
    """A setting that no YAML names: one that its ``_target_`` takes can be added, others may be misspelled."""
    override = told.override(setting)
    others = _composed(told, config_name, override)
    section = setting.partition(".")[0]
    if others and section not in (*others, "hydra"):
        return f"{setting}: there is no such setting{suggest(section, others)}"
    target = OmegaConf.select(others, f"{setting.rpartition('.')[0]}._target_")
    if target is not None and takes(setting, target):
        said = override or f"{setting}=..."
        return f"{setting}: {target} takes it, but no YAML names it; to add it, write a plus before it: +{said}"
    return f"{setting}: there is no such setting{suggest_setting(setting, target)}"


def _composed(told: Told, config_name: str, override: str | None) -> DictConfig:
    """The settings without the override; none if there are further mistakes."""
    try:
        return without_hydra(told.composed(config_name, without=override))
    except (HydraException, OmegaConfBaseException):
        return OmegaConf.create()


def not_utf8(told: Told) -> str | None:
    """The first of the YAML files that Hydra may have read that is no UTF-8, in a line; None if all are."""
    folders = [Path(folder) for folder in (told.config_dir, "conf", conf_dir()) if folder]
    for file in (file for folder in folders for file in sorted(folder.rglob("*.yaml"))):
        try:
            file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            return f"{file}: is not in UTF-8 (byte {error.start}: {error.reason}); save it as UTF-8"
    return None
