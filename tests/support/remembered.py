"""Default configurations that are composed once for all tests of a process, in place of once for every run they are shown for.

Two compositions are half of what the smallest run costs. Those that read a folder of the user's own are made again each time.
"""

from dataclasses import dataclass
from functools import cache

from omegaconf import DictConfig

from convexp.config.command_line.parse import CommandLine


@cache
def _composed(config_name: str, overrides: tuple[str, ...]) -> DictConfig:
    return CommandLine(overrides=overrides).compose(config_name)


@dataclass(frozen=True)
class RememberedLine(CommandLine):
    """A command line that says how a run differs from the defaults; nobody changes what it has composed."""

    def compose(self, config_name: str, without: str | None = None) -> DictConfig:
        """Compose the configuration, or return it."""
        if without or self.search_path:
            return super().compose(config_name, without)
        return _composed(config_name, tuple(self.overrides))
