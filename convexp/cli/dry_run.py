"""``dry_run=true`` of a single run: what it would do, without writing anything."""

from pathlib import Path

from omegaconf import DictConfig

from convexp.cli import show
from convexp.cli.resume import find_resumed_run, identity_of_resumed
from convexp.cli.run import own_folders
from convexp.config import Config, check_config
from convexp.config.differences import differences
from convexp.config.importable import make_importable
from convexp.config.trust import parse_saved_config
from convexp.records import RunStatus, identity_hash
from convexp.records.neighbours import runs_with_identity
from convexp.records.statuses import status_of
from convexp.studies.dry_run.forecast import Forecast, runs_around
from convexp.studies.dry_run.shapes import Shapes
from convexp.studies.dry_run.sweep import NOTHING_WRITTEN
from convexp.studies.dry_run.text import STATES, print_forecast
from convexp.terminal import console


def show_new(cfg: DictConfig, config: Config, folder: Path) -> None:
    """Print what a new run would do.

    Args:
        cfg: Its composed configuration, with the node ``hydra``.
        config: The same, checked.
        folder: The folder that it would get, which has the time of its start in its name.
    """
    hydra = cfg.hydra
    given = [text for text in differences(cfg, hydra.runtime.choices, own_folders(hydra), "train") if "dry_run" not in text]
    show.differences(config.name, given if hydra.overrides.task else [])
    identity = identity_hash(config.identity())
    state = status_of(folder, identity)
    console.out.print(f"{STATES.get(state, state)} in {console.display_path(folder)} ({NOTHING_WRITTEN})", markup=False)
    outputs = Path(config.outputs)
    for found, record in runs_with_identity(outputs, {identity}, folder.absolute(), update=False) if outputs.is_dir() else ():
        if record.is_finished:
            console.out.print(f"the same run is finished in {console.display_path(found)}", markup=False)
    if state is not RunStatus.FINISHED:
        shapes = Shapes(runs_around(folder.parent.absolute(), outputs), [(config.model_dump(by_alias=True), config.seed)])
        print_forecast(Forecast({folder.name: shapes.estimate(0)}, {}, 1), folder)


def show_resumed(cfg: DictConfig) -> None:
    """Print what resuming the run that ``cfg.resume`` names would do.

    Raises:
        ConfigError: if it could not be resumed.
    """
    saved, folder = find_resumed_run(cfg)
    make_importable(cfg.pythonpath)
    config = check_config(parse_saved_config(saved))
    state = status_of(folder, identity_of_resumed(config, folder))
    console.out.print(f"{config.name} in {console.display_path(folder)}: {STATES.get(state, state)} ({NOTHING_WRITTEN})")
