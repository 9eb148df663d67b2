"""convexp-train: one run, or with ``-m`` or ``study=NAME`` many."""

import shlex
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from convexp.cli import show
from convexp.cli.application import application
from convexp.cli.resume import identity_of, resumed
from convexp.config import Config, check_config, load_config, parse_trusted_config
from convexp.config.command_line.format import shell_path_override
from convexp.config.command_line.parse import parse_command_line
from convexp.config.differences import differences
from convexp.config.hydra_files import write_config
from convexp.config.trust import untrusted_packages
from convexp.errors import BusyError, ConfigError, ConvexpError, RefusedError
from convexp.records import RunFolder, RunRecord, RunStatus, identity_hash
from convexp.records.contents import check_way
from convexp.records.folder import prune
from convexp.records.record_file import write_failure
from convexp.studies.markers import is_stopped, mark_refused, mark_stopped
from convexp.terminal import console

if TYPE_CHECKING:
    from convexp.execution.count import Costing
    from convexp.execution.experiment import Experiment


def task(cfg: DictConfig) -> float | None:
    """Do the run that ``cfg`` describes; returns its best monitored value.

    In a sweep a run that fails is noted in its folder and on the terminal, and returns None, so that the others go on.
    """
    hydra_cfg = HydraConfig.get()
    folder = Path(hydra_cfg.runtime.output_dir)
    if hydra_cfg.mode == RunMode.MULTIRUN:
        return one_of_many(cfg, Path(hydra_cfg.runtime.cwd, hydra_cfg.sweep.dir), folder)
    try:
        return start(cfg, folder, sweeps=False)
    except ConvexpError:
        prune(folder)
        raise
    except Exception as error:
        if folder.is_dir():  # a run that is resumed has noted it in its own
            with suppress(OSError):  # where there is no room, it is noted nowhere
                write_failure(folder, traceback.format_exc(), config_error=False)
        if isinstance(error, OSError):
            raise ConvexpError(f"{console.display_path(folder)}: {error}") from error
        raise


def one_of_many(cfg: DictConfig, root: Path, folder: Path) -> float | None:
    """A run of a sweep, unless the sweep has been stopped: whatever happens to it happens to no other."""
    if is_stopped(root):
        prune(folder)
        return None
    try:
        check_way(root, folder)
        return start(cfg, folder, sweeps=True)
    except BusyError:
        console.out.print(f"{folder.name}: another process is working on it", markup=False)
        return None
    except RefusedError as error:
        mark_refused(root, folder.name, str(error))
        console.print_error("convexp-train", f"{folder.name}: {error}")
        return None
    except ConvexpError as error:
        said, reason, config_error = str(error), str(error), isinstance(error, ConfigError)
    except Exception as error:
        said = f"{type(error).__name__}: {error} (traceback in {folder}/result.json)"
        reason, config_error = traceback.format_exc(), False
    console.print_error("convexp-train", f"{folder.name}: {said}")
    with suppress(OSError):  # a full disk is noted nowhere, and takes no other run with it
        write_failure(folder, reason, config_error)
    if cfg.get("on_failure") == "stop":
        mark_stopped(root)
    return None


def start(cfg: DictConfig, folder: Path, sweeps: bool) -> float | None:
    """Check the configuration, take the folder, run."""
    if cfg.get("resume") is not None:  # 0 is a folder, too
        values, folder = resumed(cfg)
        config, cfg = check_config(parse_trusted_config(values)), OmegaConf.create(values)
        identity = identity_of(config, folder)
    else:
        config = load_config(cfg, Path(HydraConfig.get().runtime.cwd))
        identity = identity_hash(config.identity())
    with RunFolder(folder, identity) as taken:
        if taken.found is RunStatus.FINISHED:
            assert taken.previous is not None
            console.out.print(f"{console.display_path(folder)}: already finished", markup=False)
            return monitored(taken.previous, config)
        record = execute(cfg, config, taken, sweeps)
    return monitored(record, config)


def monitored(record: RunRecord, config: Config) -> float | None:
    """The best monitored value, which sweepers optimise; None where nothing was trained."""
    return record.metrics.get(config.monitor)


def execute(cfg: DictConfig, config: Config, taken: RunFolder, sweeps: bool) -> RunRecord:
    """Import torch, build, run, say what came out."""
    if not sweeps:
        announce(cfg, config, taken)
    run = prepared(config, taken)
    write_config(taken.path, cfg, HydraConfig.get(), keep=taken.found.is_unfinished)
    try:
        record = run.execute()
    except KeyboardInterrupt:
        console.out.print(f"interrupted; to go on: {again(config, taken.path)}", markup=False)
        raise
    if sweeps:
        show.run(record, taken.path)
    else:
        show.result(record, console.display_path(taken.path))
    return record


def again(config: Config, folder: Path) -> str:
    """The command that goes on with a run; it says whom to trust, for a run folder by itself is trusted with little."""
    packages = ",".join(untrusted_packages(config))
    trust = f"CONVEXP_TRUST={shlex.quote(packages)} " if packages else ""
    return f"{trust}convexp-train {shell_path_override('resume', Path(console.display_path(folder)))}"


def announce(cfg: DictConfig, config: Config, taken: RunFolder) -> None:
    """Say what is going to be run: what sets it apart, or with ``hydra.verbose=true`` all settings."""
    hydra_cfg = HydraConfig.get()
    if hydra_cfg.verbose:
        show.settings(config.model_dump(by_alias=True), config.name)
    elif taken.found.is_unfinished:
        console.out.print(f"{config.name}: goes on in {console.display_path(taken.path)}", markup=False)
    else:
        show.differences(config.name, differences(cfg, hydra_cfg.runtime.choices, parse_command_line(sys.argv[1:]), "train"))


def prepared(config: Config, taken: RunFolder) -> "Experiment | Costing":
    """The run, built; torch and Lightning take seconds to import, so they come only now."""
    with console.status("loading torch"):
        if config.only_costs:
            from convexp.execution.count import Costing as Run
        else:
            from convexp.execution.experiment import Experiment as Run
    return Run(config, taken)


main = application("convexp-train", "train", task)

if __name__ == "__main__":
    main()
