"""What sets a configuration apart from the defaults, as it could be typed."""

from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from convexp.config.command_line import Told
from convexp.config.comments import SEVERAL
from convexp.config.hydra_values import without_hydra
from convexp.config.places import make_absolute
from convexp.config.spelling import spell
from convexp.records.settings import flatten


def differences(cfg: DictConfig, choices: dict[str, Any], line: Told, config_name: str) -> list[str]:
    """Options that are not the default ones, then values that are not those of the options.

    Args:
        cfg: as a job is given it.
        choices: of Hydra's groups (``hydra.runtime.choices``).
        line: the command line, for folders of the user's own.
        config_name: of the configuration that all others come from.
    """
    plain = Told(False, False, [], [], line.config_dir)
    default = plain.composed(config_name)
    own, others = _options(cfg, choices), _options(default, default.hydra.runtime.choices)
    options = [f"{group}={_typed(chosen)}" for group, chosen in own.items() if chosen != others.get(group)]
    try:
        base = Told(False, False, [], options, line.config_dir).composed(config_name) if options else default
    except HydraException:  # they come from somewhere else
        base = default
    before, now = _flat(base), _flat(cfg)
    changed = [f"{key}={_typed(value)}" for key, value in now.items() if key in before and before[key] != value]
    added = [f"+{key}={_typed(value)}" for key, value in now.items() if key not in before]
    gone = [key for key in before if key not in now and not any(each.startswith(f"{key}.") for each in now)]
    return [*options, *changed, *added, *(f"~{key}" for key in gone)]


def _options(cfg: DictConfig, choices: dict[str, Any]) -> dict[str, Any]:
    """The chosen option of each group; a list for those of which several are chosen, which Hydra does not note."""
    single = {group: chosen for group, chosen in choices.items() if chosen is not None and not group.startswith("hydra/")}
    several = {group: list(cfg[group]) for group in SEVERAL if group not in single and cfg.get(group) is not None}
    return {group: chosen for group, chosen in (single | several).items() if group != "local"}


def _flat(cfg: DictConfig) -> dict[str, Any]:
    copy = without_hydra(cfg)
    make_absolute(copy, Path.cwd())  # as that of a run is
    return flatten(OmegaConf.to_container(copy, resolve=False))


def _typed(value: Any) -> str:
    try:
        return spell(value)
    except ValueError:
        return str(value)
