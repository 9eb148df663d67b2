"""One run of convexp-train: check its configuration, lock its folder, execute it, print what came out."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from convexp.cli import show
from convexp.cli.extend import extend
from convexp.cli.resume import find_resumed_run, identity_of_resumed
from convexp.config import Config, check_config
from convexp.config.checked_ahead import load_checked_config
from convexp.config.checks.processes import check_started_by
from convexp.config.command_line.format import shell_path_override
from convexp.config.command_line.parse import CommandLine
from convexp.config.differences import differences
from convexp.config.hydra_files import is_signed, write_config
from convexp.config.importable import make_importable
from convexp.config.trust import parse_saved_config, untrusted_packages
from convexp.errors import ConvexpError, one_line
from convexp.machine import interruption
from convexp.machine.own_code import changed_on_path, place_in_own_code
from convexp.records import RunFolder, RunRecord, RunStatus, identity_hash
from convexp.records.plan_part import Sweep, find_sweep
from convexp.records.record_file import LOG
from convexp.terminal import console
from convexp.terminal.words import plural

if TYPE_CHECKING:
    from convexp.execution.count_run import CountRun
    from convexp.execution.training_run import TrainingRun


@dataclass(frozen=True)
class ExecutedRun:
    """A run that is finished.

    Attributes:
        config: Its configuration.
        folder: Its folder.
        record: Its record.
    """

    config: Config
    folder: Path
    record: RunRecord

    @property
    def monitored(self) -> float | None:
        """The best monitored value, which sweepers optimise; None if nothing was trained."""
        return self.record.metrics.get(self.config.monitor)


def execute(cfg: DictConfig, folder: Path, in_sweep: bool) -> ExecutedRun:
    """Execute the run that ``cfg`` describes, or resume the one that ``cfg.resume`` names.

    Args:
        cfg: The composed configuration. Its paths are made absolute.
        folder: Folder for the run; a resumed run has its own.
        in_sweep: Whether the run belongs to a sweep, which prints less of each run.

    Raises:
        ConfigError: if a setting is wrong.
        BusyError: if another process is working in the folder.
        RefusedError: if the folder holds something else than this run.
        ConvexpError: if the run failed; also if code of the user's own did, unless the run belongs to a sweep.
    """
    interruption.forget()
    resumed = cfg.get("resume") is not None
    if resumed:  # 0 is the name of a folder
        saved, folder = find_resumed_run(cfg)
        make_importable(cfg.pythonpath)
        config, cfg = check_config(parse_saved_config(saved)), OmegaConf.create(saved.values)
        identity = identity_of_resumed(config, folder)
    else:
        config = load_checked_config(cfg, Path(HydraConfig.get().runtime.cwd))
        identity = identity_hash(config.identity())
    with RunFolder(folder, identity) as locked:
        extension = extend(locked, config) if resumed else None
        if locked.found is RunStatus.FINISHED:
            assert locked.previous is not None
            console.out.print(f"{console.display_path(folder)}: already finished", markup=False)
            if files := changed_on_path(locked.previous.versions):
                console.print_warning(
                    f"{', '.join(files)} changed since; for a result of the new code choose another hydra.run.dir"
                )
            return ExecutedRun(config, folder, locked.previous)
        if not in_sweep:
            announce(cfg, config, locked)
        sweep = find_sweep(folder, HydraConfig.get().job.num if in_sweep else None)
        if extension:
            console.out.print(f"from {extension.from_epochs} to {plural(extension.to_epochs, 'epoch')}", markup=False)
        run = set_up_in(locked, cfg, config, sweep, keep=resumed or locked.found.is_unfinished)
        try:
            record = run.execute()
        except KeyboardInterrupt:
            if not in_sweep and not locked.taken_over:  # a sweep says how all of it goes on
                console.out.print(f"interrupted; to resume: {resume_command(config, folder)}", markup=False)
            raise
        except Exception as error:
            if in_sweep or isinstance(error, ConvexpError) or not (place := place_in_own_code(error)):
                raise
            raise ConvexpError(
                f"{place}: {type(error).__name__}: {one_line(error)} (in full: {console.display_path(folder / LOG)}); "
                f"once it is mended, to resume: {resume_command(config, folder)}"
            ) from error
        if in_sweep:
            show.run(record, folder, sweep)
        else:
            show.result(record, console.display_path(folder))
    return ExecutedRun(config, folder, record)


def announce(cfg: DictConfig, config: Config, folder: RunFolder) -> None:
    """Print how the run differs from the default configuration, or with ``hydra.verbose=true`` all its settings."""
    hydra_cfg = HydraConfig.get()
    if hydra_cfg.verbose:
        show.settings(config.model_dump(by_alias=True), config.name)
    elif folder.found.is_unfinished:
        console.out.print(f"{config.name}: resumed in {console.display_path(folder.path)}", markup=False)
    elif not hydra_cfg.overrides.task:  # nothing differs, and composing the defaults to compare would take time
        show.differences(config.name, [])
    else:
        show.differences(config.name, differences(cfg, hydra_cfg.runtime.choices, own_folders(hydra_cfg), "train"))


def own_folders(hydra_cfg: Any) -> CommandLine:
    """The part of the command line that names the user's own folders of YAML files."""
    given = [str(source.path) for source in hydra_cfg.runtime.config_sources if source.provider == "command-line"]
    return CommandLine(overrides=list(hydra_cfg.overrides.hydra), config_dir=given[0] if given else None)


def set_up_in(folder: RunFolder, cfg: DictConfig, config: Config, sweep: Sweep | None, keep: bool) -> "TrainingRun | CountRun":
    """Set up the run, and write its configuration into the folder, signed.

    Args:
        folder: The folder of the run, locked for it.
        cfg: The composed configuration.
        config: The same, checked.
        sweep: The sweep that the run belongs to; None if it belongs to none.
        keep: Whether to keep the configuration that is there. It must be kept if it was read from there: it would be signed.

    Raises:
        ConfigError: if a setting is wrong that only torch can check. Nothing is written then.
    """
    run = set_up(config, folder, sweep)
    problem = write_config(folder.path, cfg, HydraConfig.get(), keep)
    if problem and untrusted_packages(config):
        console.print_error("convexp-train", f"the run is not signed, and will be treated as somebody else's: {problem}")
    return run


def set_up(config: Config, folder: RunFolder, sweep: Sweep | None) -> "TrainingRun | CountRun":
    """Set up the run; torch and Lightning take seconds to import and are imported here."""
    check_started_by(config)
    with console.status("loading torch"):
        if config.only_costs:
            from convexp.execution.count_run import CountRun

            return CountRun(config, folder)
        from convexp.execution.training_run import TrainingRun

        return TrainingRun(config, folder, sweep)


def resume_command(config: Config, folder: Path) -> str:
    """Return the command that resumes a run.

    If the run is not signed, the command names the packages that it needs and that only a signed run is trusted to name.
    """
    packages = "" if is_signed(folder) else ",".join(untrusted_packages(config))
    trust = f"CONVEXP_TRUST={shlex.quote(packages)} " if packages else ""
    return f"{trust}convexp-train {shell_path_override('resume', Path(console.display_path(folder)))}"
