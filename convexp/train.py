"""convexp-train: one run, or with ``-m`` or ``study=NAME`` many."""

import sys
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from convexp import console
from convexp.app import application
from convexp.config import Config, load
from convexp.errors import ConfigError, ConvexpError
from convexp.runs import Result, RunFolder, Taken, identity_hash
from convexp.runs.folder import prune
from convexp.runs.result import write_failure


def task(cfg: DictConfig) -> float | None:
    """Do the run that ``cfg`` describes; returns its best monitored value.

    In a sweep a run that fails is noted in its folder and on the terminal, and returns None, so that the others go on.
    """
    hydra_cfg = HydraConfig.get()
    folder = Path(hydra_cfg.runtime.output_dir)
    sweeps = hydra_cfg.mode == RunMode.MULTIRUN
    try:
        return start(cfg, folder, sweeps)
    except ConvexpError as error:
        console.complain("convexp-train", f"{folder.name}: {error}" if sweeps else str(error))
        if not sweeps:
            prune(folder)
            sys.exit(error.exit_code)
        write_failure(folder, str(error), mendable=isinstance(error, ConfigError))
    except Exception as error:
        if not sweeps:
            raise
        console.complain("convexp-train", f"{folder.name}: {type(error).__name__}: {error} (traceback in {folder}/result.json)")
    return None


def start(cfg: DictConfig, folder: Path, sweeps: bool) -> float | None:
    """Check the configuration, take the folder, run."""
    if cfg.get("resume"):
        cfg, folder = resumed(cfg, folder)
    config = load(cfg)
    with RunFolder(folder, identity_hash(config.identity())) as taken:
        if taken.found is Taken.FINISHED:
            assert taken.previous is not None
            console.out.print(f"{shorten(folder)}: already finished")
            return monitored(taken.previous, config)
        result = execute(cfg, config, taken, sweeps)
    return monitored(result, config)


def monitored(result: Result, config: Config) -> float:
    """The best monitored value, which sweepers optimise."""
    return result["metrics"][config.monitor]


def execute(cfg: DictConfig, config: Config, taken: RunFolder, sweeps: bool) -> Result:
    """Import torch, build, run, say what came out."""
    if not sweeps:
        console.show_settings(config.model_dump(by_alias=True), config.name)
    from convexp.experiment import Experiment  # torch and Lightning: seconds, so only now

    experiment = Experiment(config, taken)
    write_hydra(cfg, taken.path)
    try:
        result = experiment.execute()
    except KeyboardInterrupt:
        console.out.print(f"interrupted; to go on: convexp-train resume={shorten(taken.path)}")
        raise
    console.show_result(result, shorten(taken.path), brief=sweeps)
    return result


def resumed(cfg: DictConfig, fresh: Path) -> tuple[DictConfig, Path]:
    """The configuration and the folder of the run to go on with.

    Raises:
        ConfigError: if it is no run folder, or the command line wants to change its configuration.
    """
    given = [o for o in HydraConfig.get().overrides.task if not o.startswith("resume=")]
    if given:
        raise ConfigError(f"resume={cfg.resume}: goes on with the run's own configuration; leave out {' '.join(given)}")
    folder = Path(cfg.resume)
    prune(fresh)
    return read_hydra(folder, "resume"), folder


def read_hydra(folder: Path, setting: str) -> DictConfig:
    """The configuration in a run folder.

    Raises:
        ConfigError: if there is none.
    """
    file = folder / ".hydra" / "config.yaml"
    if not file.is_file():
        raise ConfigError(f"{setting}={folder}: there is no run in this folder (no .hydra/config.yaml)")
    cfg = OmegaConf.load(file)
    assert isinstance(cfg, DictConfig)
    return cfg


def write_hydra(cfg: DictConfig, folder: Path) -> None:
    """``.hydra/`` as Hydra itself writes it; the run's configuration with everything resolved."""
    target = folder / ".hydra"
    if (target / "config.yaml").exists():
        return
    target.mkdir(exist_ok=True)
    resolved: Any = OmegaConf.create(OmegaConf.to_container(cfg, resolve=True))
    hydra_cfg = OmegaConf.masked_copy(OmegaConf.create({"hydra": HydraConfig.get()}), ["hydra"])
    OmegaConf.save(HydraConfig.get().overrides.task, target / "overrides.yaml")
    OmegaConf.save(hydra_cfg, target / "hydra.yaml")
    OmegaConf.save(resolved, target / "config.yaml")


def shorten(path: Path) -> str:
    """The path from here, if it lies below here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path)


main = application("convexp-train", "train", task)

if __name__ == "__main__":
    main()
