"""``dry_run=true`` of a single run: what it would do, without writing anything."""

from pathlib import Path

from omegaconf import DictConfig

from convexp.cli import show
from convexp.cli.extend import extension_of
from convexp.cli.resume import find_resumed_run, identity_of_resumed
from convexp.cli.run import own_folders
from convexp.config import Config, check_config
from convexp.config.differences import differences
from convexp.config.folders import check_writable
from convexp.config.importable import make_importable
from convexp.config.trust import parse_saved_config
from convexp.errors import RefusedError
from convexp.records import RunStatus, identity_hash, read_record
from convexp.records.folder import OTHER_RUN
from convexp.records.statuses import status_of
from convexp.studies.dry_run.forecast import Forecast, runs_around
from convexp.studies.dry_run.shapes import Shapes
from convexp.studies.dry_run.sweep import NOTHING_WRITTEN
from convexp.studies.dry_run.text import STATES, print_forecast
from convexp.terminal import console
from convexp.terminal.words import plural


def show_new(cfg: DictConfig, config: Config, folder: Path) -> None:
    """Print what a new run would do.

    Args:
        cfg: Its composed configuration, with the node ``hydra``.
        config: The same, checked.
        folder: The folder that it would get, which has the time of its start in its name.
    """
    hydra = cfg.hydra
    identity = identity_hash(config.identity())
    state = _state(folder, identity)
    given = differences(cfg, hydra.runtime.choices, own_folders(hydra), "train") if hydra.overrides.task else []
    show.differences(config.name, [text for text in given if text.partition("=")[0] != "dry_run"])
    console.out.print(f"{STATES.get(state, state)} in {console.display_path(folder)} ({NOTHING_WRITTEN})", markup=False)
    known = runs_around(folder.absolute(), Path(config.outputs))
    for found, record in known:
        if record.is_finished and record.identity == identity and found != folder.absolute():
            console.out.print(f"the same run is finished in {console.display_path(found)}", markup=False)
    if state is not RunStatus.FINISHED:
        shapes = Shapes(known, [(config.model_dump(by_alias=True), config.seed)])
        print_forecast(Forecast({folder.name: shapes.estimate(0)}, {}, 1), folder)


def _state(folder: Path, identity: str) -> RunStatus:
    """The status of the run in a folder.

    Raises:
        RefusedError: if the folder holds another run.
    """
    state = status_of(folder, identity)
    if state is RunStatus.OTHER:
        raise RefusedError(f"{folder}: {OTHER_RUN}")
    return state


def show_resumed(cfg: DictConfig) -> None:
    """Print what resuming the run that ``cfg.resume`` names would do.

    Raises:
        ConfigError: if it could not be resumed, or not with the number of epochs that is asked for.
        RefusedError: if the folder holds the record of another run.
    """
    saved, folder = find_resumed_run(cfg)
    check_writable(f"resume={cfg.resume}", folder)
    make_importable(cfg.pythonpath)
    config = check_config(parse_saved_config(saved))
    state = _state(folder, identity_of_resumed(config, folder))
    extension = extension_of(read_record(folder), config) if state is not RunStatus.BUSY else None
    epochs = f"would go on from {extension.from_epochs} to {plural(extension.to_epochs, 'epoch')}" if extension else None
    happens = epochs or STATES.get(state, state)
    console.out.print(f"{config.name} in {console.display_path(folder)}: {happens} ({NOTHING_WRITTEN})", markup=False)
