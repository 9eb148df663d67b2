"""A search: ask for trials, launch their runs, tell what these came to, until there are as many trials as wanted."""

import shutil
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from filelock import Timeout
from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from convexp.config.folders import make_writable_folder, setting_of_folder
from convexp.errors import BusyError, ConfigError
from convexp.files.locks import LEASES, locked
from convexp.studies.composer import Composer
from convexp.studies.search.dry_run import show_search
from convexp.studies.search.example import valid_example
from convexp.studies.search.jobs import TrialJobs
from convexp.studies.search.loop import Loop
from convexp.studies.search.quiet import quiet_optuna
from convexp.studies.search.settings import SearchSettings
from convexp.studies.search.space import parse_space
from convexp.studies.search.storage import described, opened_storage, storage_url, study_name
from convexp.studies.search.task import make_task
from convexp.studies.search.trials import Trials
from convexp.studies.sweep import own_subdir

LOCK = ".search.lock"


def search(
    settings: SearchSettings, cfg: DictConfig, loader: ConfigLoader, launcher: Launcher, overrides: Sequence[str]
) -> list[Any]:
    """Search the space of ``overrides``; trials of an earlier start are gone on with.

    Args:
        settings: How the space is searched.
        cfg: The configuration of the sweep.
        loader: Composes the configurations of runs.
        launcher: The launcher.
        overrides: The overrides of the command line.

    Returns:
        Nothing: the folders of the runs, and search.json, hold what came out.

    Raises:
        ConfigError: if the space is wrong, or the folder or the storage holds something else.
        BusyError: if another process searches in this folder.
    """
    _check_sweep(cfg)
    root = Path(cfg.hydra.sweep.dir)
    space, constant = parse_space(overrides)
    composer = Composer(loader, cfg)
    example = valid_example(cfg, composer, space, constant)
    task = make_task(settings, space, example)
    if cfg.get("dry_run"):
        show_search(cfg, settings, task, example)
        return []
    jobs = TrialJobs(cfg, root, space, constant, task, composer)
    url = storage_url(settings, root)
    with ExitStack() as stack:
        stack.enter_context(_only_search(root, cfg))
        stack.enter_context(quiet_optuna())
        storage = stack.enter_context(opened_storage(url))
        trials = Trials(storage, study_name(settings, root), described(url), task, settings, space)
        if settings.storage is not None:  # one's own may hold the search of another folder of the same name
            trials.claim(root)
        jobs.begin()
        Loop(trials, jobs, task, launcher).run()
    return []


def _check_sweep(cfg: DictConfig) -> None:
    if cfg.get("study") is not None:
        raise ConfigError("study: has a grid, all points of which are run; with hydra/sweeper=optuna leave it out")
    if (subdir := own_subdir(cfg)) is not None:
        raise ConfigError(f"hydra.sweep.subdir={subdir}: with hydra/sweeper=optuna folders are named after their settings")


@contextmanager
def _only_search(root: Path, cfg: DictConfig) -> Generator[None]:
    """A context in which no other process searches in the folder, which is made: two would go on with the same trials."""
    make_writable_folder(setting_of_folder("hydra.sweep.dir", root, cfg.outputs), root)
    try:
        with locked(root / LOCK, timeout=1):
            yield
    except Timeout:
        raise BusyError(f"hydra.sweep.dir={root}: another process is searching in this folder") from None
    except ConfigError:
        _remove_if_new(root)
        raise


def _remove_if_new(root: Path) -> None:
    """Remove the folder of a search that was refused before it wrote anything."""
    if {file.name for file in root.iterdir()} <= {LOCK, LEASES}:
        shutil.rmtree(root)
