"""The overrides that turn the default configuration into a given one."""

from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from convexp.config.command_line.format import format_value
from convexp.config.command_line.parse import SEARCH_PATH, CommandLine
from convexp.config.hydra_context import without_hydra
from convexp.config.options import MULTIPLE_CHOICE
from convexp.config.user_paths import make_paths_absolute
from convexp.records.settings import flatten
from convexp.records.values import same_value


def differences(cfg: DictConfig, choices: dict[str, Any], line: CommandLine, config_name: str) -> list[str]:
    """Overrides for what differs from the default configuration: first the options of groups, then settings beyond these.

    Args:
        cfg: the configuration, without Hydra's part.
        choices: the chosen option of each group (``hydra.runtime.choices``).
        line: the command line, for the user's own folder of YAML files.
        config_name: name of the primary configuration, ``train`` or ``eval``.
    """
    known = [text for text in (line.override(SEARCH_PATH),) if text]
    default = CommandLine(overrides=known, config_dir=line.config_dir).compose(config_name)
    chosen, default_options = _options(cfg, choices), _options(default, default.hydra.runtime.choices)
    options = [f"{group}={_format(option)}" for group, option in chosen.items() if option != default_options.get(group)]
    try:
        chooses = CommandLine(overrides=[*known, *options], config_dir=line.config_dir)
        base = chooses.compose(config_name) if options else default
    except HydraException:  # the options come from a folder that is not known here
        base = default
    before, now = _flat(base), _flat(cfg)
    changed = [f"{key}={_format(value)}" for key, value in now.items() if key in before and not same_value(before[key], value)]
    added = [f"+{key}={_format(value)}" for key, value in now.items() if key not in before]
    removed = [key for key in before if key not in now and not any(each.startswith(f"{key}.") for each in now)]
    return [*options, *changed, *added, *(f"~{key}" for key in removed)]


def _options(cfg: DictConfig, choices: dict[str, Any]) -> dict[str, Any]:
    """The chosen option of each group, or a list of options: Hydra does not record the choice of several."""
    single = {group: option for group, option in choices.items() if option is not None and not group.startswith("hydra/")}
    several = {group: list(cfg[group]) for group in MULTIPLE_CHOICE if group not in single and cfg.get(group) is not None}
    return {group: option for group, option in (single | several).items() if group != "local"}


def _flat(cfg: DictConfig) -> dict[str, Any]:
    copy = without_hydra(cfg)
    make_paths_absolute(copy, Path.cwd())  # as they are in the configuration of a run
    plain: Any = OmegaConf.to_container(copy, resolve=False)
    return flatten({section: value for section, value in plain.items() if section != "pythonpath"})  # follows --config-dir


def _format(value: Any) -> str:
    try:
        return format_value(value)
    except ValueError:
        return str(value)
