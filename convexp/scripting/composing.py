"""Compose configurations from the overrides that a caller gives, with the errors of the command line as exceptions."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from convexp.config.command_line.arrange import arrange_arguments
from convexp.config.command_line.format import format_path_override
from convexp.config.command_line.of_sweep import CONFIG_NAME
from convexp.config.command_line.parse import CommandLine, parse_command_line
from convexp.config.messages.hydra_errors import explain_encoding_error, explain_hydra_error
from convexp.errors import ConfigError

Folder = str | Path


def command_line(overrides: Sequence[str], config_dir: Folder | None, **folders: Folder | None) -> CommandLine:
    """The command line that a call stands for.

    Args:
        overrides: What was given as on the command line.
        config_dir: Folder with the caller's own YAML files; None if there is none.
        **folders: Paths by the setting that they are the value of, with ``__`` for a dot; None for a setting that is not given.

    Raises:
        ConfigError: for what is no override.
    """
    if wrong := [text for text in overrides if not _is_override(text)]:
        raise ConfigError(f"{wrong[0]!r}: is no override; write setting=value, as in 'model=local'")
    if config_dir is not None and not Path(config_dir).is_dir():
        raise ConfigError(f"config_dir={config_dir}: there is no such folder; name one with YAML files")
    given = [format_path_override(name.replace("__", "."), Path(path)) for name, path in folders.items() if path is not None]
    switch = [] if config_dir is None else ["--config-dir", str(config_dir)]
    return parse_command_line(arrange_arguments([*switch, *overrides, *given]))


def _is_override(given: object) -> bool:
    return isinstance(given, str) and not given.startswith("-") and ("=" in given or given.startswith("~"))


def compose_run(line: CommandLine) -> DictConfig:
    """Compose the configuration of a single run, including its node ``hydra``.

    Raises:
        ConfigError: if that is not possible, or if it is several runs.
    """
    with hydra_errors(line):
        parsed = OverridesParser.create().parse_overrides([*line.overrides])
        if several := [each.input_line for each in parsed if each.is_sweep_override()]:
            raise ConfigError(f"{several[0]}: stands for several runs; convexp.train does one, convexp.sweep many")
        cfg = line.compose(CONFIG_NAME)
    if cfg.hydra.mode == RunMode.MULTIRUN:
        study = line.override("study") or "hydra.mode=MULTIRUN"
        raise ConfigError(f"{study}: stands for several runs; convexp.train does one, convexp.sweep many")
    cfg.hydra.mode = RunMode.RUN
    return cfg


@contextmanager
def hydra_errors(line: CommandLine) -> Generator[None]:
    """A context that turns errors of Hydra and in YAML files into a ConfigError of one line."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise ConfigError(explain_hydra_error(error, line, CONFIG_NAME)) from None
    except UnicodeDecodeError:
        message = explain_encoding_error(line)
        if message is None:
            raise
        raise ConfigError(message) from None
