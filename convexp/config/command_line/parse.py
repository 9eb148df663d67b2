"""Parse a command line without Hydra, to answer questions about it and to explain errors."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra import compose
from omegaconf import DictConfig

from convexp.config.command_line.format import format_value
from convexp.config.command_line.search_path import parse_search_path
from convexp.config.hydra_context import isolated_hydra
from convexp.config.importable import make_importable
from convexp.config.sources import Source, installed_sources
from convexp.terminal.console import display_path

SEARCH_PATH = "hydra.searchpath"


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

    @property
    def search_path(self) -> list[str]:
        """The folders with YAML files that the user names: ``--config-dir``, then ``hydra.searchpath``."""
        given = [f"file://{Path(self.config_dir).resolve()}"] if self.config_dir else []
        return [*given, *self.searched]

    @property
    def searched(self) -> list[str]:
        """The folders that ``hydra.searchpath`` names, as ``parse_search_path`` returns them."""
        return parse_search_path(self.override(SEARCH_PATH) or "")

    def sources(self) -> tuple[Source, ...]:
        """Where options are looked for: convexp, installed packages, and the folders that the user names."""
        folders = [Path(path.removeprefix("file://")) for path in self.search_path]
        return (*installed_sources(), *(Source(display_path(folder), folder) for folder in folders if folder.is_dir()))

    @property
    def settings(self) -> list[str]:
        """The settings and groups that are overridden."""
        return [text.partition("=")[0].lstrip("+~") for text in self.overrides]

    def override(self, setting: str) -> str | None:
        """The override of ``setting`` as it was typed; None if there is none."""
        return next((text for text in self.overrides if text.partition("=")[0].lstrip("+") == setting), None)

    def compose(self, config_name: str, without: str | None = None) -> DictConfig:
        """Compose the configuration, including its node ``hydra``; modules of the user's can be imported from then on.

        Args:
            config_name: name of the primary configuration, ``train`` or ``eval``.
            without: an override to leave out.

        Raises:
            HydraException: if Hydra cannot compose it.
        """
        overrides = [text for text in self.hydra_overrides() if text != without]
        with isolated_hydra(job_name=config_name):
            cfg = compose(config_name, overrides, return_hydra_config=True)
        make_importable(cfg.get("pythonpath"))
        return cfg

    def hydra_overrides(self) -> list[str]:
        """The overrides as Hydra's functions take them: the first says where the user's own YAML files are."""
        others = [text for text in self.overrides if text != self.override(SEARCH_PATH)]
        return [f"{SEARCH_PATH}={format_value(self.search_path)}", *others] if self.search_path else others


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
