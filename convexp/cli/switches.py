"""Check Hydra's own switches, which Hydra itself answers with its usage or a traceback if they are wrong."""

import re
from collections.abc import Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from convexp.config.command_line.parse import parse_command_line
from convexp.config.messages.suggestions import suggest
from convexp.errors import ConfigError

VERBOSE = "hydra.verbose"
ALTERNATIVES = ("run", "multirun", "cfg", "info", "shell_completion")  # of which Hydra does one
COMPLETION = re.compile("(install|uninstall|query)=(bash|zsh|fish)")


def check_switches(arguments: Sequence[str]) -> None:
    """Check the switches of Hydra on a command line.

    Raises:
        ConfigError: naming the switch and what would be right.
    """
    parser = get_args_parser()
    parser.error = _refuse
    given, others = parser.parse_known_args(arguments)
    for word in others:
        if word.startswith("-") and word != "--":
            known = [switch for action in parser._actions for switch in action.option_strings]
            raise ConfigError(f"{word}: there is no such switch{suggest(word.partition('=')[0], known, list_all=False)}")
    _check_one_of([f"--{name.replace('_', '-')}" for name in ALTERNATIVES if getattr(given, name)])
    if given.shell_completion:
        _check_completion(given.overrides)
    switches = {text.partition("=")[0] for text in arguments}
    if "--resolve" in switches and not {"--cfg", "-c", "--help", "-h"} & switches:
        raise ConfigError("--resolve: goes with --cfg job, which prints the configuration instead of running it")
    value = (parse_command_line(arguments).override(VERBOSE) or "").partition("=")[2]
    if value.lower() == "null" or value.replace(".", "").isdecimal():
        raise ConfigError(f"{VERBOSE}={value}: should be true or false")


def _refuse(message: str) -> NoReturn:
    """In place of the parser's usage: ``argument --cfg/-c: invalid choice: 'foo' (choose from 'job', 'hydra', 'all')``."""
    raise ConfigError(message.removeprefix("argument "))


def _check_one_of(switches: Sequence[str]) -> None:
    if len(switches) > 1:
        raise ConfigError(f"{' '.join(switches)}: only one of them can be done at a time")


def _check_completion(words: Sequence[str]) -> None:
    if len(words) != 1 or not COMPLETION.fullmatch(words[0]):
        given = f" {' '.join(words)}" if words else ""
        raise ConfigError(
            f"--shell-completion{given}: should be followed by install=bash, zsh or fish, or uninstall= one of them"
        )
