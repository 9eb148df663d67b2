"""``convexp.sweep``: many runs, in processes of their own or one after another in that of the caller."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf

from convexp import runs
from convexp.cli.preflight import prepare_sweep
from convexp.cli.train import task
from convexp.config.command_line.of_sweep import CONFIG_NAME
from convexp.config.command_line.parse import CommandLine
from convexp.config.hydra_context import isolated_hydra
from convexp.errors import ConfigError
from convexp.imports.lightning import import_lightning
from convexp.scripting.caller import in_process_of_caller
from convexp.scripting.composing import Folder, command_line, hydra_errors
from convexp.studies.callback import SweepSummary, conclude

if TYPE_CHECKING:
    import pandas as pd

NO_LOGGING = {"version": 1, "root": None, "disable_existing_loggers": False}  # Hydra then leaves loggers alone


def sweep(
    *overrides: str,
    config_dir: Folder | None = None,
    folder: Folder | None = None,
    processes: int | None = None,
    progress: bool = True,
) -> "pd.DataFrame":
    """Do all runs of a sweep or a study that are not finished, as ``convexp-train -m`` does, and return the table of all.

    The plan, the folders, the processes and the report are those of the command. A run that fails does not stop the others,
    unless ``on_failure=stop``: the column ``state`` of the table says what became of each, and ``error`` why. Called again with
    the same folder (a study has one of its own), it does what is missing.

    Example::

        import convexp

        table = convexp.sweep("model=local,conv", "seed=range(3)", "data=mnist", folder="outputs/mine")
        table.groupby("model")["test/acc"].mean()
        table = convexp.sweep("study=three_layers")

    Args:
        *overrides: Settings as on the command line; several values, ``a,b``, ``range(3)`` or ``choice(a,b)``, make a grid.
        config_dir: Folder with YAML files of your own, as ``--config-dir``.
        folder: Folder of the sweep, as ``hydra.sweep.dir``; None for that of the study, or one with the time in
            ``outputs/sweeps``.
        processes: Largest number of runs at the same time, as ``hydra.launcher.processes``.
        progress: Whether to print what the command prints.

    Returns:
        The table that ``convexp.runs.load`` reads from the folder.

    Raises:
        ConfigError: if a setting is wrong for all runs, in one line, before anything is written.
        KeyboardInterrupt: after Ctrl-C; the same call with the same folder resumes the sweep.
    """
    with in_process_of_caller(progress):
        if processes is not None:
            overrides = (*overrides, f"hydra.launcher.processes={processes}")
        line = command_line(overrides, config_dir, hydra__sweep__dir=folder)
        with isolated_hydra(CONFIG_NAME):
            root = _run(line)
        conclude(root)
        return runs.load(root)


def _run(line: CommandLine) -> Path:
    """Do the runs, and return the folder of the sweep."""
    hydra = GlobalHydra.instance().hydra
    assert hydra is not None
    overrides = line.hydra_overrides()
    with hydra_errors(line):
        mode = [] if hydra.get_mode(CONFIG_NAME, overrides) == RunMode.MULTIRUN else ["hydra.mode=MULTIRUN"]
        cfg = hydra.compose_config(CONFIG_NAME, [*overrides, *mode], RunMode.MULTIRUN)
        cfg.hydra.job_logging = NO_LOGGING
        if cfg.get("dry_run"):
            raise ConfigError("dry_run=true: does no run whose results could be returned; use the command convexp-train")
        prepare_sweep(cfg)
        context = HydraContext(config_loader=hydra.config_loader, callbacks=_no_callbacks())
        sweeper = Plugins.instance().instantiate_sweeper(config=cfg, hydra_context=context, task_function=_task)
        arguments: Any = OmegaConf.to_container(cfg.hydra.overrides.task, resolve=False)
        summary = SweepSummary()
        summary.on_multirun_start(cfg)
        try:
            sweeper.sweep(arguments=arguments)
        finally:
            if summary.watcher is not None:
                summary.watcher.stop()
    return Path(cfg.hydra.sweep.dir)


def _no_callbacks() -> Any:
    from hydra._internal.callbacks import Callbacks

    return Callbacks()


@functools.wraps(task)  # worker processes unwrap it
def _task(cfg: DictConfig) -> float | None:
    """A run in this process."""
    import_lightning()  # as convexp.train does
    from convexp.scripting.torch_state import torch_of_caller

    with torch_of_caller():
        return task(cfg)
