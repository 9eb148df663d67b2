"""The command that a sweep was started with, and that goes on with it."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from convexp.config.command_line.format import shell_path_override
from convexp.terminal.console import display_path

CONFIG_NAME = "train"  # conf/train.yaml


def command_line(cfg: DictConfig) -> list[str]:
    """The arguments of the command, with absolute paths to folders of configurations, so that it works from anywhere."""
    flags = ["--config-name", str(cfg.hydra.job.config_name)] if cfg.hydra.job.config_name != CONFIG_NAME else []
    for source in cfg.hydra.runtime.config_sources:
        if source.provider == "command-line":
            flags += ["--config-dir", str(source.path)]
    kinds = (cfg.hydra.overrides.hydra, cfg.hydra.overrides.task)
    texts = [str(text) for kind in kinds for text in OmegaConf.to_container(kind, resolve=False) or []]
    return [*flags, *("-m" if text == "hydra.mode=MULTIRUN" else text for text in texts)]


def sweep_command(arguments: Sequence[str], folder: Path) -> str:
    """The command that does a sweep with these arguments in a folder, as a user can type it in a shell."""
    words = [word for word in arguments if not word.startswith("hydra.sweep.dir=")]
    return f"convexp-train {shlex.join(words)} {shell_path_override('hydra.sweep.dir', folder)}"


def command_to_go_on(cfg: DictConfig, *without: str) -> str:
    """The command that goes on with a sweep from the working directory, also where its folder is named after the time.

    Args:
        cfg: The configuration of the sweep.
        *without: Settings that are left to their defaults.
    """
    words = [word for word in command_line(cfg) if word.partition("=")[0] not in without]
    return sweep_command(words, Path(display_path(Path(cfg.hydra.sweep.dir))))
