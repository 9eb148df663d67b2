"""Parse a command line without Hydra, to answer questions about it and to explain errors."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra import compose
from omegaconf import DictConfig

from convexp.config.command_line.format import format_value
from convexp.config.hydra_context import isolated_hydra


@dataclass(frozen=True)
class CommandLine:
    """A parsed command line.

    Attributes:
        help: Whether ``--help`` is given.
        version: Whether ``--version`` is given.
        names: Arguments that are neither switches nor overrides: the settings to explain, after ``--help``.
        overrides: Overrides of the form ``setting=value`` and ``~setting``.
        config_dir: A folder with YAML files of the user (``--config-dir``); None if there is none.
    """

    help: bool = False
    version: bool = False
    names: Sequence[str] = ()
    overrides: Sequence[str] = ()
    config_dir: str | None = None

    def override(self, setting: str) -> str | None:
        """The override of ``setting`` as it was typed; None if there is none."""
        return next((text for text in self.overrides if text.partition("=")[0].lstrip("+") == setting), None)

    def compose(self, config_name: str, without: str | None = None) -> DictConfig:
        """Compose the configuration, including its node ``hydra``.

        Args:
            config_name: name of the primary configuration, ``train`` or ``eval``.
            without: an override to leave out.

        Raises:
            HydraException: if Hydra cannot compose it.
        """
        overrides = [text for text in self.overrides if text != without]
        if self.config_dir:
            overrides.insert(0, f"hydra.searchpath={format_value([f'file://{Path(self.config_dir).resolve()}'])}")
        with isolated_hydra():
            return compose(config_name, overrides, return_hydra_config=True)


def parse_command_line(arguments: Sequence[str]) -> CommandLine:
    """Parse a command line; other switches of Hydra are ignored."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--version", action="store_true")
    with_value = (
        ("--config-dir", "-cd"),
        ("--config-name", "-cn"),
        ("--config-path", "-cp"),
        ("--package", "-p"),
        ("--cfg", "-c"),
    )
    for switch in with_value:
        parser.add_argument(*switch, nargs="?")  # Hydra reports a value that is missing
    known, rest = parser.parse_known_args(arguments)
    words = [word for word in rest if not word.startswith("-")]
    overrides = [word for word in words if "=" in word or word.startswith("~")]
    names = [word for word in words if word not in overrides]
    return CommandLine(known.help, known.version, names, overrides, known.config_dir)
