"""Hydra callbacks that check a command before Hydra creates its folder, so that a wrong one leaves nothing behind."""

import sys
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, read_write

from convexp.cli.application import errors_in_one_line
from convexp.cli.resume import find_resumed_run
from convexp.config.ambiguity import check_unambiguous
from convexp.config.checked_ahead import check_ahead, forget_checked_configs
from convexp.config.checks.processes import check_no_torchrun
from convexp.config.command_line.format import format_path_override
from convexp.config.folders import check_folder, check_writable, make_writable_folder, setting_of_folder
from convexp.config.hydra_context import hydra_values, without_hydra
from convexp.config.schema.config import OF_THE_COMMAND
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError

OWN_SWEEPERS = ("grid", "optuna")


class CheckTraining(Callback):
    """Checks convexp-train (conf/train.yaml). An error ends the program; Hydra would only print a warning and continue."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before a single run: checks its settings and creates its folder."""
        with errors_in_one_line("convexp-train", "train"):
            if config.get("dry_run"):
                show_run(config)
                sys.exit(0)
            prepare_run(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before a sweep, whichever sweeper is used: checks the folder it will write to."""
        with errors_in_one_line("convexp-train", "train"):
            prepare_sweep(config)
            _check_sweeper(config)


class _CheckWithoutFolder(Callback):
    """Checks a command that takes no folder from Hydra, and no ``-m``."""

    program: str
    config_name: str
    where: str  # where the command writes, for the message
    one: str  # what it works on, likewise

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra before it creates ``hydra.run.dir``."""
        with errors_in_one_line(self.program, self.config_name):
            if config.hydra.run.dir != ".":
                raise ConfigError(f"hydra.run.dir={config.hydra.run.dir}: leave it out; {self.where}")
            check_unambiguous(config, config.hydra.job.config_name)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Called by Hydra for ``-m``, which is refused."""
        with errors_in_one_line(self.program, self.config_name):
            raise ConfigError(f"-m: {self.program} {self.one}; call it once for each")


class CheckProbing(_CheckWithoutFolder):
    """Checks convexp-probe (conf/probe.yaml)."""

    program, config_name = "convexp-probe", "probe"
    where, one = "folder=DIR says where results are written", "measures a single network"


class CheckEvaluation(_CheckWithoutFolder):
    """Checks convexp-eval (conf/eval.yaml)."""

    program, config_name = "convexp-eval", "eval"
    where, one = "convexp-eval writes into the folder of the run", "tests a run, run=DIR, or several, runs=[DIR,DIR]"


def show_run(config: DictConfig) -> None:
    """Check the settings of a single run, and print what it would do (``dry_run=true``)."""
    from convexp.cli.dry_run import show_new, show_resumed

    forget_checked_configs()
    check_no_torchrun("dry_run=true")
    with hydra_values(config):
        _check_output_subdir(config)
        if config.get("resume") is not None:
            show_resumed(config)
            return
        check_unambiguous(config, config.hydra.job.config_name)
        _check_no_reuse(config)
        checked = check_ahead(without_hydra(config))
        setting, folder = _resolve_folder(config, "run")
        check_writable(setting, folder)
        show_new(config, checked, folder)


def prepare_run(config: DictConfig) -> None:
    """Check the settings of a single run, create its folder and store it in ``config``.

    Args:
        config: The configuration, including its node ``hydra``.

    Raises:
        ConfigError: if a setting is wrong, or the folder cannot be written to.
    """
    forget_checked_configs()
    with hydra_values(config):
        _check_output_subdir(config)
        if config.get("resume") is not None:  # the resumed run has settings and a folder of its own
            folder = find_resumed_run(config)[1]
            check_writable(f"resume={config.resume}", folder)
            _set_folder(config, "run", folder)
            return
        check_unambiguous(config, config.hydra.job.config_name)
        _check_no_reuse(config)
        check_ahead(without_hydra(config))
        make_writable_folder(*_resolve_folder(config, "run"))


def prepare_sweep(config: DictConfig) -> None:
    """Check the folder of a sweep and store it in ``config``, which includes the node ``hydra``.

    Raises:
        ConfigError: if the folder cannot be written to, or ``resume`` is set.
    """
    forget_checked_configs()
    check_no_torchrun("a sweep")
    if wrong := [name for name in OF_THE_COMMAND if not isinstance(config.get(name, False), bool)]:
        raise ConfigError(f"{wrong[0]}={config[wrong[0]]}: should be true or false")
    with hydra_values(config):
        check_writable(*_resolve_folder(config, "sweep"))
        _check_output_subdir(config)
        if "resume" in _overridden(config):
            raise ConfigError("resume: resumes a single run, without -m; to resume a sweep, start it again")
        check_unambiguous(config, config.hydra.job.config_name)


def _check_no_reuse(config: DictConfig) -> None:
    if config.get("reuse") and "reuse" in _overridden(config):
        raise ConfigError("reuse=true: takes over runs of a sweep; give it with -m or study=NAME")


def _check_sweeper(config: DictConfig) -> None:
    """Check that the sweeper knows the settings that say what a sweep does."""
    asked = [name for name in OF_THE_COMMAND if config.get(name)]
    sweeper = str(config.hydra.runtime.choices.get("hydra/sweeper"))
    if asked and sweeper not in OWN_SWEEPERS:
        raise ConfigError(f"{asked[0]}=true: hydra/sweeper={sweeper} does not know it; use {' or '.join(OWN_SWEEPERS)}")


def _resolve_folder(config: DictConfig, mode: str) -> tuple[str, Path]:
    """Resolve the folder of a run or a sweep, and store it in ``config``.

    Args:
        config: the configuration, including its node ``hydra``.
        mode: ``"run"`` or ``"sweep"``.

    Returns:
        The setting that the folder comes from, with its value, and the folder.
    """
    setting = f"hydra.{mode}.dir"
    folder = parse_path(setting, config.hydra[mode].dir)
    check_folder(setting, str(folder))
    if str(folder) != config.hydra[mode].dir:
        _set_folder(config, mode, folder)
    return setting_of_folder(setting, folder, config.outputs), folder


def _set_folder(config: DictConfig, mode: str, folder: Path) -> None:
    """Store the folder, also as an override: Hydra composes the runs of a sweep again from the overrides."""
    with read_write(config.hydra):
        config.hydra[mode].dir = str(folder).replace("${", "\\${")
        config.hydra.overrides.hydra.append(format_path_override(f"hydra.{mode}.dir", folder))


def _check_output_subdir(config: DictConfig) -> None:
    subdir = config.hydra.output_subdir
    if subdir is not None:
        raise ConfigError(f"hydra.output_subdir={subdir}: should be null, as convexp writes the folder .hydra itself")


def _overridden(config: DictConfig) -> set[str]:
    """The settings and groups that the command line overrides."""
    parser = OverridesParser.create()
    return {parser.parse_override(text).key_or_group for text in config.hydra.overrides.task}
