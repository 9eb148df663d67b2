"""Check Hydra's own switches, which Hydra itself answers with its usage or a traceback if they are wrong."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NoReturn

from hydra._internal.utils import get_args_parser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from convexp.config.command_line.parse import parse_command_line
from convexp.config.hydra_context import hydra_values, without_hydra
from convexp.config.messages.suggestions import suggest, suggest_path
from convexp.errors import ConfigError

VERBOSE = "hydra.verbose"
ALTERNATIVES = ("run", "multirun", "cfg", "info", "shell_completion")  # of which Hydra does one
COMPLETION = re.compile("(install|uninstall|query)=(bash|zsh|fish)")


def check_switches(arguments: Sequence[str], config_name: str) -> None:
    """Check the switches of Hydra on a command line.

    Args:
        arguments: the command line.
        config_name: name of the primary configuration, ``train`` or ``eval``.

    Raises:
        ConfigError: naming the switch and what would be right.
        HydraException: if the configuration of which ``--package`` names a part cannot be composed.
    """
    parser = get_args_parser()
    parser.error = _refuse
    given, others = parser.parse_known_args(arguments)
    for word in others:
        if word.startswith("-") and word != "--":
            known = [switch for action in parser._actions for switch in action.option_strings]
            instead = _setting(word, arguments, config_name) or suggest(word.partition("=")[0], known, list_all=False)
            raise ConfigError(f"{word}: there is no such switch{instead}")
    _check_one_of([f"--{name.replace('_', '-')}" for name in ALTERNATIVES if getattr(given, name)])
    if given.shell_completion:
        _check_completion(given.overrides)
    if given.cfg and given.package not in (None, "_global_"):
        _check_package(given.package, given.cfg, parse_command_line(arguments).compose(given.config_name or config_name))
    switches = {text.partition("=")[0] for text in arguments}
    if "--resolve" in switches and not {"--cfg", "-c", "--help", "-h"} & switches:
        raise ConfigError("--resolve: goes with --cfg job, which prints the configuration instead of running it")
    value = (parse_command_line(arguments).override(VERBOSE) or "").partition("=")[2]
    if value.lower() == "null" or value.replace(".", "").isdecimal():
        raise ConfigError(f"{VERBOSE}={value}: should be true or false")


def _setting(word: str, arguments: Sequence[str], config_name: str) -> str:
    """The end of the message if ``word`` is a setting written as a switch, such as ``--dry-run``; empty if it is not."""
    switch, _, value = word.lstrip("-").partition("=")
    name = switch.replace("-", "_")
    line = parse_command_line(arguments)
    for known in (line, replace(line, overrides=())):  # without overrides if there are further mistakes, or values of a sweep
        with suppress(HydraException, OmegaConfBaseException):
            cfg = without_hydra(known.compose(config_name))
            if _has(cfg, name):
                is_flag = isinstance(OmegaConf.select(cfg, name), bool)
                return f"; a setting is written {name}={value or ('true' if is_flag else '...')}"
    return ""


def _has(cfg: DictConfig, setting: str) -> bool:
    """Whether ``cfg`` has a setting or a section, be it null."""
    parent, _, name = setting.rpartition(".")
    section = OmegaConf.select(cfg, parent) if parent else cfg
    return isinstance(section, DictConfig) and name in section


def _check_package(package: str, kind: str, cfg: DictConfig) -> None:
    """Check that the part of the configuration that ``--cfg`` is to print is there, and is not null."""
    shown = cfg if kind == "all" else without_hydra(cfg) if kind == "job" else OmegaConf.masked_copy(cfg, ["hydra"])
    with hydra_values(cfg):
        found = OmegaConf.select(shown, package)
    if found is not None:
        return
    if _has(shown, package):
        raise ConfigError(f"--package={package}: is null, so there is nothing to print; leave it out to see everything")
    values: Any = OmegaConf.to_container(shown, resolve=False)
    suggestion = suggest_path(package, values) or suggest(package.partition(".")[0], values)
    raise ConfigError(f"--package={package}: there is no such section or setting{suggestion}")


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
