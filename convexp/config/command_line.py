"""The command line, read without Hydra: what it asks for beside running, and the configuration that it describes."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra import compose
from omegaconf import DictConfig

from convexp.config.hydra_values import hydra_of_its_own
from convexp.config.spelling import spell


@dataclass(frozen=True)
class Told:
    """What a command line says.

    Attributes:
        help, version: whether it asks for them.
        names: bare words: settings to be explained.
        overrides: ``setting=value`` and ``~setting``.
        config_dir: a folder of the user's own YAMLs.
    """

    help: bool
    version: bool
    names: list[str]
    overrides: list[str]
    config_dir: str | None

    def override(self, setting: str) -> str | None:
        """What was typed for ``setting``; None if nothing was."""
        return next((text for text in self.overrides if text.partition("=")[0].lstrip("+") == setting), None)

    def composed(self, config_name: str, without: str | None = None) -> DictConfig:
        """The configuration with Hydra's part, leaving out one override.

        Raises:
            HydraException: as Hydra does.
        """
        overrides = [text for text in self.overrides if text != without]
        if self.config_dir:
            overrides.insert(0, f"hydra.searchpath={spell([f'file://{Path(self.config_dir).resolve()}'])}")
        with hydra_of_its_own():
            return compose(config_name, overrides, return_hydra_config=True)


def told(arguments: Sequence[str]) -> Told:
    """Read a command line; switches of Hydra that are not needed here are passed over."""
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
        parser.add_argument(*switch, nargs="?")  # where it lacks, Hydra says so
    known, words = parser.parse_known_args(arguments)
    words = [word for word in words if not word.startswith("-")]
    overrides = [word for word in words if "=" in word or word.startswith("~")]
    names = [word for word in words if word not in overrides]
    return Told(known.help, known.version, names, overrides, known.config_dir)
