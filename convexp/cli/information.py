"""Answer command lines that ask for information, not for a run: ``--version``, ``--help SETTING``, TAB completion of values."""

import os
from collections.abc import Sequence

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
    from convexp.config.help.completion import complete

    words = complete(os.environ.get("COMP_LINE", ""), config_name)
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
