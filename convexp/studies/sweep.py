"""A sweep: plan, say what is there, launch what is not."""

import copy
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf, read_write
from pydantic import ValidationError

from convexp.config.check import explained
from convexp.config.folders import check_name, make, origin
from convexp.config.hydra_values import hydra_values
from convexp.config.schema import Study
from convexp.config.spelling import spell
from convexp.errors import ConfigError
from convexp.files.atomic import atomic_write, remove_partials
from convexp.records.folder import State
from convexp.records.plan import Plan, write_plan
from convexp.studies.composing import Composer
from convexp.studies.grid import Axis, Point, Rule, axes, excluded, exclusions, product, told
from convexp.studies.markers import clear
from convexp.studies.names import folder_names
from convexp.studies.planning import Job, Name, jobs, looked_up, values
from convexp.terminal import console

CONFIG_NAME = "train"  # conf/train.yaml
FIXED = ("study", "study.name", "outputs", "resume", "on_failure")
NUMBERED = "${name}-${hydra.job.num}"  # conf/train.yaml; gives way to names that say what differs


def sweep(cfg: DictConfig, loader: ConfigLoader, launcher: Launcher, arguments: Sequence[str]) -> Sequence[Any]:
    """Run what is not finished of the grid of ``cfg.study`` and ``arguments``; returns what the launcher returned.

    Raises:
        ConfigError: if the study contradicts itself, all its runs are wrong, or its folder holds other runs.
    """
    study = read_study(cfg)
    grid, points, constant = runs_of(study, arguments)
    root = Path(cfg.hydra.sweep.dir)
    composer = Composer(loader, cfg)
    with hydra_values(copy.deepcopy(cfg)):
        found = jobs(points, constant, composer, _naming(cfg, points, composer))
    found = looked_up(found, root)
    name, question, compare = (study.name, study.question, study.compare) if study else (None, None, {})
    plan = Plan(name, question, values(grid, found), compare, [job.planned() for job in found], _said(cfg))
    try:
        make(origin("hydra.sweep.dir", root, cfg.outputs), root)
        clear(root)
        remove_partials(root)
        with atomic_write(root / "multirun.yaml") as partial:
            OmegaConf.save(cfg, partial)
        write_plan(root, plan)
    except OSError as error:
        raise ConfigError(f"hydra.sweep.dir={root}: cannot be written to ({error.strerror})") from None
    announce(found, root, name)
    wanted = [job for job in found if job.state is not State.FINISHED]
    wanted.sort(key=lambda job: job.state is State.BUSY)  # last, in case the other process does not finish them
    done = launcher.launch([_told(job) for job in wanted], initial_job_idx=0) if wanted else []
    for job in done:
        _ = job.return_value  # raises what went wrong with the launch itself; runs that fail return
    return done


def _said(cfg: DictConfig) -> list[str]:
    """The command line, as it can be typed again from any working directory as far as it names folders of settings."""
    flags = ["--config-name", str(cfg.hydra.job.config_name)] if cfg.hydra.job.config_name != CONFIG_NAME else []
    for source in cfg.hydra.runtime.config_sources:
        if source.provider == "command-line":
            flags += ["--config-dir", str(source.path)]
    kinds = (cfg.hydra.overrides.hydra, cfg.hydra.overrides.task)
    said = [str(text) for kind in kinds for text in OmegaConf.to_container(kind, resolve=False) or []]
    return [*flags, *("-m" if text == "hydra.mode=MULTIRUN" else text for text in said)]


def read_study(cfg: DictConfig) -> Study | None:
    """The study of a configuration, if it is one.

    Raises:
        ConfigError: naming the setting that is wrong.
    """
    if cfg.get("study") is None:
        return None
    try:
        study = Study.model_validate(OmegaConf.to_container(cfg.study, resolve=True))
    except ValidationError as error:
        raise ConfigError(explained(error, "study")) from None
    check_name("study.name", study.name)
    return study


def runs_of(study: Study | None, arguments: Sequence[str]) -> tuple[list[Axis], list[Point], list[str]]:
    """All axes, the points without those excluded, and what the command line sets for all.

    Raises:
        ConfigError: if nothing is left, or the study contradicts itself.
    """
    grids = [axes(grid) for grid in _grids(study)]
    rules: list[Rule] = []
    if study:
        rules = exclusions([point for grid in grids for point in product(grid)], study.exclude)
        _check_compare(study, grids)
    every: list[Axis] = []
    points: dict[object, Point] = {}  # by what they say: two grids may have one in common
    constant: list[str] = []
    for grid in grids:
        grid, constant = told(grid, arguments)
        every += [axis for axis in grid if axis.key not in [other.key for other in every]]
        kept = [point for point in product(grid) if not any(excluded(point, rule) for rule in rules)]
        points |= {tuple((axis.settings, row) for axis, row in point): point for point in kept}
    if fixed := [axis.key for axis in every if axis.key in FIXED]:
        raise ConfigError(f"{fixed[0]}: is the same for all runs of a sweep; give it one value")
    if not points:
        raise ConfigError("study.exclude: leaves no run of the grid")
    return every, list(points.values()), constant


def _grids(study: Study | None) -> list[dict[str, Any]]:
    """The grids of a study; one that is empty for a sweep by the command line alone."""
    if study is None:
        return [{}]
    grids = study.grid if isinstance(study.grid, list) else [study.grid]
    if not grids or not all(grids):
        raise ConfigError(f"study.grid={study.grid}: is empty; name settings and their values, as in model: [conv, local]")
    return grids


def _check_compare(study: Study, grids: list[list[Axis]]) -> None:
    known = {axis.key: [axis.value(row) for row in axis.rows] for grid in grids for axis in grid}
    for key, value in study.compare.items():
        if key not in known:
            raise ConfigError(f"study.compare: {key} is on no axis of study.grid; there are {', '.join(known)}")
        if value not in known[key]:
            raise ConfigError(f"study.compare: {key}={value}: is no value of study.grid; there are {known[key]}")


def _naming(cfg: DictConfig, points: list[Point], composer: Composer) -> Name:
    """What names folders: what differs, unless ``hydra.sweep.subdir`` says something else."""
    own = OmegaConf.to_container(cfg.hydra.sweep, resolve=False)
    if isinstance(own, dict) and own["subdir"] != NUMBERED:
        return lambda number, overrides, _: _by_subdir(number, composer.whole(overrides))
    names = folder_names(points)
    return lambda number, _, settings: names[number] or str(settings.name)


def _by_subdir(number: int, run: DictConfig) -> str:
    with read_write(run.hydra):
        run.hydra.job.num, run.hydra.job.id = number, str(number)
    with hydra_values(run):
        return str(run.hydra.sweep.subdir)


def _told(job: Job) -> list[str]:
    return [*job.overrides, f"hydra.sweep.subdir={spell(job.folder)}", f"hydra.job.num={job.number}"]


def announce(found: list[Job], root: Path, name: str | None) -> None:
    """Which runs are kept, go on, are tried again, are new."""
    counts = Counter(job.state for job in found)
    parts = [_part(state, [job.folder for job in found if job.state is state]) for state in SAID if counts[state]]
    title = f"{name}: {len(found)} runs" if name else f"{len(found)} runs"
    console.out.print(f"{title} in {console.shorten(root)}: {', '.join(parts)}", markup=False)


SAID = {
    State.FINISHED: "finished (kept)",
    State.INTERRUPTED: "interrupted (to be gone on with: {})",
    State.FAILED: "failed (to be tried again: {})",
    State.BUSY: "in the hands of another process ({})",
    State.NEW: "new",
    State.WRONG: "with wrong settings ({})",
}


def _part(state: State, folders: list[str]) -> str:
    return f"{len(folders)} {SAID[state].format(', '.join([*folders[:5], *(['...'] if len(folders) > 5 else [])]))}"
