"""Answer command lines that ask for information, not for a run: ``--version``, ``--help SETTING``, TAB completion of values."""

import os
from collections.abc import Sequence

from hydra.errors import HydraException
from omegaconf import OmegaConf

from convexp import __version__
from convexp.config.command_line.parse import CommandLine, parse_command_line
from convexp.terminal import console


def print_information(program: str, config_name: str, arguments: Sequence[str]) -> bool:
    """Print what the command line asks for, unless Hydra answers it (a run, ``--help`` alone, TAB completion of groups).

    Returns:
        Whether anything was asked and printed.

    Raises:
        ConfigError, HydraException: if the command line names a setting that does not exist.
    """
    line = parse_command_line(arguments)
    if line.version:
        console.out.print(f"{program} {__version__}", markup=False)
        return True
    if line.help and line.names:
        _print_help(line, config_name)
        return True
    if not _asks_for_completion(arguments):
        return False
    words = _complete(os.environ.get("COMP_LINE", ""), config_name)
    for word in words:
        console.out.print(word, markup=False)
    return bool(words)


def _print_help(line: CommandLine, config_name: str) -> None:
    """Print the options of each group, and the description of each setting, that the command line names."""
    from convexp.cli import show  # imported only for those who ask: every command passes through this module
    from convexp.config.help.comments import option_origins, option_titles
    from convexp.config.help.settings import describe_settings

    cfg = line.compose(config_name)
    for name in line.names:
        name = name.rstrip(".=")
        options = option_titles(cfg, name)
        if options:
            several = list(OmegaConf.select(cfg, name) or ())  # of which Hydra records none
            chosen = cfg.hydra.runtime.choices.get(name) or several
            show.options(name, chosen, options, option_origins(cfg, name))
        if not options or OmegaConf.select(cfg, name) is not None:
            show.setting_help(describe_settings(cfg, config_name, name))


def _asks_for_completion(arguments: Sequence[str]) -> bool:
    switches = {"-sc", "--shell-completion"} & {*arguments}
    return bool(switches) and any(argument.startswith("query=") for argument in arguments)


def _complete(typed: str, config_name: str) -> list[str]:
    """The completions of the last word of ``typed`` if it is ``group=`` or ``setting=`` and the start of one value.

    An empty list otherwise: names of settings and groups, and lists of options, are completed by Hydra.
    """
    from convexp.config.help.values import complete_values
    from convexp.config.options import list_options

    *before, word = typed.split(" ")
    setting, equals, value = word.partition("=")
    if not equals:
        return []
    line = parse_command_line(before[1:])
    if options := list_options(setting.lstrip("+"), line.sources()):  # Hydra does not know the folders on the typed line
        return [f"{setting}={option}" for option in options if option.startswith(value)]
    try:
        cfg = line.compose(config_name)
    except HydraException:  # the words before are incomplete or wrong
        return []
    return [f"{setting}={each}" for each in complete_values(cfg, setting.lstrip("+")) if each.startswith(value)]
