"""What a command line asks for beside running: the version, what a setting means, what the shell may complete."""

import os
from collections.abc import Sequence

from hydra.errors import HydraException
from omegaconf import OmegaConf

from convexp import __version__
from convexp.cli import show
from convexp.config.command_line import Told, told
from convexp.config.comments import options
from convexp.config.described import completions, describe
from convexp.terminal import console


def answer(program: str, config_name: str, arguments: Sequence[str]) -> bool:
    """Answer what is not for Hydra to answer; returns whether there was such a question.

    Raises:
        ConfigError, HydraException: if it names a setting that does not exist.
    """
    line = told(arguments)
    if line.version:
        console.out.print(f"{program} {__version__}", markup=False)
    elif line.help and line.names:
        _explain(line, config_name)
    else:
        found = _completed(os.environ.get("COMP_LINE", ""), config_name) if _is_completion(arguments) else []
        for word in found:
            console.out.print(word, markup=False)
        return bool(found)
    return True


def _explain(line: Told, config_name: str) -> None:
    cfg = line.composed(config_name)
    for name in line.names:
        name = name.rstrip(".=")
        listed = options(cfg, name)
        if listed:
            chosen = OmegaConf.select(cfg, "hydra.runtime.choices")[name]
            show.options(name, chosen, listed)
        if not listed or OmegaConf.select(cfg, name) is not None:
            show.described(describe(cfg, config_name, name))


def _is_completion(arguments: Sequence[str]) -> bool:
    return bool({"-sc", "--shell-completion"} & {*arguments}) and any(text.startswith("query=") for text in arguments)


def _completed(typed: str, config_name: str) -> list[str]:
    """The values of a setting that the last word of a command line begins to give; none where Hydra knows them (groups)."""
    *before, word = typed.split(" ")
    setting, given, value = word.partition("=")
    if not given:
        return []
    try:
        cfg = told(before[1:]).composed(config_name)
    except HydraException:  # not finished, or wrong
        return []
    return [f"{setting}={each}" for each in completions(cfg, setting.lstrip("+")) if each.startswith(value)]
