"""Bring a command line into the form that Hydra takes."""

import re

from convexp.config.command_line.groups import normalize_choice
from convexp.config.user_paths import quote_home
from convexp.errors import ConfigError


def arrange_arguments(arguments: list[str]) -> list[str]:
    """The command line with all switches before the overrides, as Hydra requires, and overrides in Hydra's syntax.

    Raises:
        ConfigError: for an override that names no setting, or that chooses no option of a group.
    """
    switches: list[str] = []
    overrides: list[str] = []
    for previous, argument in zip(["", *arguments], arguments, strict=False):
        if re.match(r"[+~]*=", argument):
            raise ConfigError(f"{argument}: names no setting; write setting=value")
        is_value = previous.startswith(("--config-", "-c")) and "=" not in previous  # of a switch; a folder may be called a=b
        is_override = not argument.startswith("-") and ("=" in argument or argument.startswith("~")) and not is_value
        (overrides if is_override else switches).append(argument)
    return [*switches, *(normalize_choice(quote_home(override)) for override in overrides)]
