"""Explain arguments that Hydra's grammar does not allow, in one line."""

import re
import shlex
from pathlib import Path

from hydra.core.override_parser.types import Quote, QuotedString

FUNCTIONS = ("choice", "range", "interval", "tag", "glob", "sort", "shuffle", "str", "int", "float", "bool", "json_str")
ON_A_LOGARITHMIC_SCALE = {"loguniform", "log_uniform", "logrange", "logspace", "log", "geomspace"}
BETWEEN = ON_A_LOGARITHMIC_SCALE | {"uniform", "linspace", "randn", "random", "rand"}


def explain_unreadable(override: str, config_name: str) -> str:
    """The argument, and what would be right.

    It may be a folder where a setting is due, call a function that does not exist, or need quotes within those of the shell.

    Args:
        override: the argument.
        config_name: name of the primary configuration, ``train`` or ``eval``.
    """
    setting, equals, value = override.partition("=")
    if not equals and Path(override).is_dir():
        return f"{override}: is a folder, where a setting is due{_setting_of(override, config_name)}"
    if (called := re.match(r"\s*(\w+)\((.*)\)\s*$", value)) and called[1] not in FUNCTIONS:
        return f"{override}: there is no function {called[1]}; {_functions(setting, *called.groups())}"
    hint = "" if equals else f" (to see its values: --help {override})"
    quoted = QuotedString(value, Quote.double).with_quotes()
    example = f", within the quotes of the shell: {shlex.quote(f'{setting}={quoted}')}" if " " in value.strip() else ""
    return f"{override}: cannot be read; write setting=value{hint}, and quote a value that holds commas or spaces{example}"


def _setting_of(folder: str, config_name: str) -> str:
    """The setting that names the folder of a run."""
    from convexp.records.record_file import FILE as RESULT  # what reads records is imported only after a mistake

    if config_name == "eval":
        return f"; write {shlex.quote(f'run={folder}')}"
    if config_name == "train" and (Path(folder) / RESULT).exists():
        return f"; to resume its run, or to extend it: {shlex.quote(f'resume={folder}')}"
    return "; write setting=value"


def _functions(setting: str, function: str, arguments: str) -> str:
    """How a search is told of a range of numbers, or which functions there are."""
    if function not in BETWEEN:
        return f"there are {', '.join(FUNCTIONS)}"
    interval = f"interval({arguments})"
    value = f"tag(log, {interval})" if function in ON_A_LOGARITHMIC_SCALE else interval
    return f"a search (-m hydra/sweeper=optuna) takes {shlex.quote(f'{setting}={value}')}"
