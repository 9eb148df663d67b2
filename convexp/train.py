"""convexp-train: one run, or with ``-m`` or ``study=NAME`` many."""

import traceback
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from convexp import console
from convexp.app import application
from convexp.config import Config, check_trusted, load
from convexp.errors import ConfigError, ConvexpError, RefusedError
from convexp.runs import Result, RunFolder, Taken, identity_hash
from convexp.runs.folder import prune
from convexp.runs.result import note_refusal, write_failure
from convexp.runs.saved import read_config, write_config


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
        if not sweeps:
            prune(folder)
            raise
        console.complain("convexp-train", f"{folder.name}: {error}")
        if isinstance(error, RefusedError):
            note_refusal(Path(hydra_cfg.sweep.dir), folder.name, str(error))
        else:
            write_failure(folder, str(error), mendable=isinstance(error, ConfigError))
    except Exception as error:
        write_failure(folder, traceback.format_exc(), mendable=False)
        if not sweeps:
            raise
        console.complain("convexp-train", f"{folder.name}: {type(error).__name__}: {error} (traceback in {folder}/result.json)")
    return None


def start(cfg: DictConfig, folder: Path, sweeps: bool) -> float | None:
    """Check the configuration, take the folder, run."""
    resumes = bool(cfg.get("resume"))
    if resumes:
        cfg, folder = resumed(cfg, folder)
    config = load(cfg)
    if resumes:
        check_trusted(config)
    with RunFolder(folder, identity_hash(config.identity())) as taken:
        if taken.found is Taken.FINISHED:
            assert taken.previous is not None
            console.out.print(f"{console.shorten(folder)}: already finished", markup=False)
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
    write_config(taken.path, cfg, HydraConfig.get(), keep=taken.found is Taken.UNFINISHED)
    try:
        result = experiment.execute()
    except KeyboardInterrupt:
        console.out.print(f"interrupted; to go on: convexp-train resume={console.shorten(taken.path)}", markup=False)
        raise
    console.show_result(result, console.shorten(taken.path), brief=sweeps)
    return result


def resumed(cfg: DictConfig, fresh: Path) -> tuple[DictConfig, Path]:
    """The configuration and the folder of the run to go on with.

    Raises:
        ConfigError: if it is no run folder, or the command line wants to change its configuration.
    """
    given = [o for o in HydraConfig.get().overrides.task if not o.startswith("resume=")]
    if given:
        raise ConfigError(f"resume={cfg.resume}: goes on with the run's own configuration; leave out {' '.join(given)}")
    folder = Path(str(cfg.resume))
    prune(fresh)
    return read_config(folder, "resume"), folder


main = application("convexp-train", "train", task)

if __name__ == "__main__":
    main()
