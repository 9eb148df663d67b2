"""Hydra's and OmegaConf's complaints about a configuration, in one line each."""

import re
from pathlib import Path

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from convexp.config.check import suggest_setting
from convexp.config.paths import conf_dir


def explain(error: HydraException | OmegaConfBaseException) -> str:
    """The setting, its value, and what would be right."""
    text = str(error) or str(error.__cause__)
    if isinstance(error, MissingConfigException):
        return _missing_option(text)
    if isinstance(error, OverrideParseException):
        return f"{error.override}: cannot be read; write setting=value, and quote a value that holds commas or spaces"
    if unknown := re.search(r"Could not override '([^']+)'", text):
        return f"{unknown[1]}: there is no such setting{suggest_setting(unknown[1])}"
    if group := re.search(r"In '[^']+': Could not find '([^']+)'", text):
        return f"{group[1]}: there is no such option"
    return " ".join(text.split())


def _missing_option(text: str) -> str:
    """``Could not find 'model/cnov'`` and the list of what there is."""
    found = re.search(r"[Cc]ould not (?:find|load) '([^']+)'", text)
    name = found[1] if found else "?"
    group, _, option = name.rpartition("/")
    options = re.search(r"Available options in '[^']+':\n((?:\t.+\n?)+)", text)
    names = options[1].split() if options else sorted(file.stem for file in Path(conf_dir(), group).glob("*.yaml") if group)
    known = f"; there are {', '.join(names)}" if names else ""
    return f"{group}={option}: there is no such option{known}" if group else f"{name}: there is no such group or file"
