"""A sweep: plan its runs, print which are done, launch the others."""

import copy
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from traceback import format_exception
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf, read_write

from convexp.config.command_line.format import format_value
from convexp.config.command_line.of_sweep import command_line, command_to_go_on
from convexp.config.folders import make_writable_folder, setting_of_folder
from convexp.config.hydra_context import hydra_values
from convexp.config.user_paths import absolute_path
from convexp.engines.waiting import waiting_runs
from convexp.errors import ConfigError, ConvexpError, one_line
from convexp.files.atomic import atomic_write, remove_partials
from convexp.records import RunStatus
from convexp.records.markers import clear_markers
from convexp.records.neighbours import collections_below
from convexp.records.plan import Plan, write_plan
from convexp.records.plan_part import write_parts
from convexp.studies.composer import Composer
from convexp.studies.dry_run.sweep import show_sweep
from convexp.studies.grid import Point
from convexp.studies.names import folder_names
from convexp.studies.plan_summary import print_plan
from convexp.studies.planning import FolderName, Job, axis_values, check_some_valid, in_known_folders, plan_jobs, with_state
from convexp.studies.reuse.candidates import Reusable, find_reusable
from convexp.studies.reuse.staging import remove_staged
from convexp.studies.reuse.take_over_all import take_over_all
from convexp.studies.study import expand, read_study
from convexp.terminal import console

ENGINE_ERROR = "engine-error.txt"  # in the folder of the sweep
NUMBERED = "${name}-${hydra.job.num}"  # the default in conf/train.yaml; replaced by names that say what differs


def sweep(cfg: DictConfig, loader: ConfigLoader, launcher: Launcher, overrides: Sequence[str]) -> Sequence[Any]:
    """Run all points of the grid of ``cfg.study`` and of ``overrides`` that are not finished.

    With ``dry_run=true`` they are only listed; with ``reuse=true`` those that others have finished are taken over first.

    Args:
        cfg: The configuration of the sweep.
        loader: Composes the configurations of runs.
        launcher: The launcher.
        overrides: The overrides of the command line.

    Returns:
        What the launcher returned; nothing if it failed.

    Raises:
        ConfigError: if the study contradicts itself, all its runs are wrong, or its folder holds other runs; of a sweep that is
            only listed, if any run is wrong.
    """
    study = read_study(cfg)
    expanded = expand(study, overrides)
    root = Path(cfg.hydra.sweep.dir)
    composer = Composer(loader, cfg)
    with hydra_values(copy.deepcopy(cfg)):
        jobs = plan_jobs(expanded.points, expanded.constant, composer, _folder_name(cfg, expanded.points, composer))
        check_some_valid(jobs)
        if own_subdir(cfg) is None:
            jobs = in_known_folders(jobs, root)
        jobs = with_state(jobs, root, composer, look_only=cfg.get("dry_run"))
        outputs = absolute_path("outputs", cfg.outputs, Path.cwd())
        reusable = Reusable()
        if cfg.get("reuse") or cfg.get("dry_run"):  # a start that asks for neither does not look through the outputs
            others = collections_below(outputs, root.absolute())
            reusable = find_reusable(jobs, root.absolute(), others, update=not cfg.get("dry_run"))
        if cfg.get("dry_run"):
            show_sweep(cfg, study.name if study else None, expanded, jobs, composer, waiting_runs(root), reusable)
            return []
    name, question, compare = (study.name, study.question, study.compare) if study else (None, None, {})
    runs = [job.planned_run() for job in jobs]
    axes = axis_values(expanded.axes, [run.point for run in runs])
    claims = [claim.model_dump(mode="json") for claim in study.claims] if study else []
    write_sweep(cfg, root, Plan(name, question, axes, compare, runs, command_line(cfg), claims))
    if cfg.get("reuse"):
        jobs = take_over_all(jobs, reusable, root)
    print_plan(jobs, root, name, waiting_runs(root))
    wanted = [job for job in jobs if job.state is not RunStatus.FINISHED]
    wanted.sort(key=lambda job: job.state is RunStatus.BUSY)  # last, in case the other process does not finish them
    return launch(launcher, [job_overrides(job) for job in wanted], cfg) if wanted else []


def launch(launcher: Launcher, overrides: list[list[str]], cfg: DictConfig) -> Sequence[Any]:
    """Launch runs by any launcher of Hydra. The folders of the runs, not the launcher, say afterwards what became of them.

    Whatever the launcher raises, or returns as the error of a job, becomes one line on stderr and is recorded, so that the
    report is written, names all runs that are missing, and the exit code is not 0.

    Args:
        launcher: The launcher.
        overrides: The overrides of each run.
        cfg: The configuration of the sweep.

    Returns:
        What the launcher returned; nothing if it failed.

    Raises:
        KeyboardInterrupt: if the sweep is interrupted; the command that goes on with it is printed.
    """
    try:
        returned = launcher.launch(overrides, initial_job_idx=0)
        for job in returned:
            _ = job.return_value  # raises what went wrong with the launch itself; runs that fail return
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, KeyboardInterrupt) or _comes_of_ctrl_c(error):
            console.out.print(f"interrupted; to go on: {command_to_go_on(cfg)}", markup=False)
            raise KeyboardInterrupt from None
        _report_error(error, cfg)
        return []
    return returned


def _comes_of_ctrl_c(error: BaseException | None) -> bool:
    """Whether an error was raised while a KeyboardInterrupt was on its way: OmegaConf, interrupted, may fail in tidying up."""
    if error is None or isinstance(error, KeyboardInterrupt):
        return error is not None
    return _comes_of_ctrl_c(error.__cause__) or _comes_of_ctrl_c(error.__context__)


def _report_error(error: Exception, cfg: DictConfig) -> None:
    """Print the error of the engine in one line; unless that explains it, the whole of it goes into a file of the sweep."""
    if isinstance(error, ConvexpError):
        line = str(error)
    else:
        line, file = f"{type(error).__name__}: {one_line(error)}", Path(cfg.hydra.sweep.dir) / ENGINE_ERROR
        with suppress(OSError):
            with atomic_write(file) as partial:
                partial.write_text("".join(format_exception(error)), encoding="utf-8")
            line += f" (traceback in {console.display_path(file)})"
    engine = f"hydra/launcher={cfg.hydra.runtime.choices['hydra/launcher']}"
    console.print_error("convexp-train", f"{engine}: {line}; finished runs are kept, to go on: {command_to_go_on(cfg)}")


def write_sweep(cfg: DictConfig, root: Path, plan: Plan) -> None:
    """Write the plan and the configuration into the sweep's folder.

    Raises:
        ConfigError: if the folder cannot be written to.
    """
    try:
        make_writable_folder(setting_of_folder("hydra.sweep.dir", root, cfg.outputs), root)
        clear_markers(root)
        (root / ENGINE_ERROR).unlink(missing_ok=True)
        remove_partials(root)
        remove_staged(root)
        with atomic_write(root / "multirun.yaml") as partial:
            OmegaConf.save(cfg, partial)
        write_plan(root, plan)
        write_parts(root)
    except OSError as error:
        raise ConfigError(f"hydra.sweep.dir={root}: cannot be written to ({error.strerror})") from None


def job_overrides(job: Job) -> list[str]:
    """Return the overrides with which a job is launched."""
    return [*job.overrides, f"hydra.sweep.subdir={format_value(job.folder)}", f"hydra.job.num={job.number}"]


def _folder_name(cfg: DictConfig, points: list[Point], composer: Composer) -> FolderName:
    """How run folders are named: after the values that differ, unless ``hydra.sweep.subdir`` is set."""
    if own_subdir(cfg) is not None:
        return lambda number, overrides, _: _by_subdir(number, composer.configs.compose(overrides))
    names = folder_names(points)
    return lambda number, _, settings: names[number] or str(settings["name"])


def own_subdir(cfg: DictConfig) -> str | None:
    """Return ``hydra.sweep.subdir`` as it is written, if the user has set it; else None."""
    own = OmegaConf.to_container(cfg.hydra.sweep, resolve=False)
    return str(own["subdir"]) if isinstance(own, dict) and own["subdir"] != NUMBERED else None


def _by_subdir(number: int, run: DictConfig) -> str:
    with read_write(run.hydra):
        run.hydra.job.num, run.hydra.job.id = number, str(number)
    with hydra_values(run):
        return str(run.hydra.sweep.subdir)
