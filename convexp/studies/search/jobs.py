"""The runs of trials: composed and checked, planned in study.json, and launched."""

import copy
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf
from optuna.trial import FrozenTrial

from convexp.config.command_line.of_sweep import command_line
from convexp.config.hydra_context import hydra_values
from convexp.config.user_paths import absolute_path
from convexp.records import RunStatus, read_record
from convexp.records.neighbours import collections_below
from convexp.records.plan import Plan, PlannedRun, read_plan, write_plan
from convexp.records.plan_part import write_parts
from convexp.records.values import unique
from convexp.studies.composer import Composer
from convexp.studies.grid import Axis, Point
from convexp.studies.overrides import parse_value
from convexp.studies.planning import Job, plan_jobs, with_state
from convexp.studies.reuse.candidates import find_reusable
from convexp.studies.reuse.take_over_all import take_over_all
from convexp.studies.search.names import run_folder, with_seed
from convexp.studies.search.outcome import lacked_space
from convexp.studies.search.space import Dimension
from convexp.studies.search.task import SearchTask
from convexp.studies.sweep import job_overrides, launch, write_sweep

SEARCH_ARGUMENTS = ("hydra/sweeper=", "hydra.sweeper.", "hydra.sweep.dir=")
DONE = (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.PRUNED)


class TrialJobs:
    """Makes the jobs of trials, one for each seed, and keeps the plan of the sweep up to date.

    Args:
        cfg: The configuration of the sweep.
        root: Its folder.
        space: What is searched.
        constant: The overrides that are the same for all trials.
        task: What the search is about.
        composer: Composes the configurations of runs.
    """

    def __init__(
        self,
        cfg: DictConfig,
        root: Path,
        space: Sequence[Dimension],
        constant: list[str],
        task: SearchTask,
        composer: Composer,
    ) -> None:
        self.cfg = cfg
        self.root = root
        self.space = space
        self.constant = constant
        self.seeds = task.seeds
        self.question = f"Which {', '.join(dimension.key for dimension in space)} {task.direction} {task.metric}?"
        self.composer = composer
        self.planned: dict[str, PlannedRun] = {}

    def fixed_arguments(self) -> list[str]:
        """Return the arguments of the command that are the same for all trials, without those about the search."""
        own = {str(text) for text in OmegaConf.to_container(self.cfg.hydra.overrides.task, resolve=False) or []}
        others = [word for word in command_line(self.cfg) if word not in own and not word.startswith(SEARCH_ARGUMENTS)]
        return [*others, *self.constant]

    def point(self, trial: FrozenTrial) -> Point:
        """Return the settings of a trial, without the seed."""
        texts = [(dimension.setting, (dimension.text(trial.params[dimension.key]),)) for dimension in self.space]
        return tuple((Axis((setting,), (row,)), row) for setting, row in texts)

    def folders(self, trial: FrozenTrial) -> list[str]:
        """Return the names of the folders of a trial's runs."""
        return [run_folder(self.point(trial), seed) for seed in self.seeds]

    def of(self, trial: FrozenTrial) -> list[Job]:
        """Return the jobs of a trial, in the order of the seeds, with the states of their folders.

        Raises:
            ConfigError: if their folders hold runs with other settings.
        """
        point, folders = self.point(trial), self.folders(trial)
        first = trial.number * len(self.seeds)
        points = [with_seed(point, seed) for seed in self.seeds]

        def name(number: int, _overrides: list[str], _settings: DictConfig) -> str:
            return folders[number - first]

        with hydra_values(copy.deepcopy(self.cfg)):
            jobs = plan_jobs(points, self.constant, self.composer, name, first)
            return with_state(jobs, self.root, self.composer)

    def begin(self) -> None:
        """Write the configuration of the sweep, and the plan as an earlier start has left it."""
        before = read_plan(self.root)
        self.planned = {run.folder: run for run in before.runs if (self.root / run.folder).is_dir()} if before else {}
        write_sweep(self.cfg, self.root, self._plan())

    def plan(self, jobs: Sequence[Job]) -> None:
        """Add jobs to the plan."""
        self.planned |= {job.folder: job.planned_run() for job in jobs}
        write_plan(self.root, self._plan())
        write_parts(self.root)

    def _plan(self) -> Plan:
        runs = list(self.planned.values())
        # The ends of an interval count as values, so that TensorBoard's table has all its columns from the first run on.
        samples = {dimension.key: list(map(parse_value, dimension.samples())) for dimension in self.space}
        axes = {key: unique([*values, *_of_runs(runs, key)]) for key, values in (samples | {"seed": self.seeds}).items()}
        return Plan(None, self.question, axes, {}, runs, command_line(self.cfg))

    def launch(self, launcher: Launcher, jobs: Sequence[Job]) -> None:
        """Launch those jobs that have neither finished nor failed, but for want of space on the disk.

        Trials with the same settings share their runs. With ``reuse=true`` what others have finished is taken over first.
        """
        if self.cfg.get("reuse"):
            unique = [*{job.folder: job for job in jobs}.values()]
            reusable = find_reusable(unique, self.root.absolute(), self._others, update=True)
            jobs = take_over_all(unique, reusable, self.root)
        wanted = {job.folder: job for job in jobs if job.state not in DONE or lacked_space(read_record(self.root / job.folder))}
        if wanted:
            launch(launcher, [job_overrides(job) for job in wanted.values()], self.cfg)

    @cached_property
    def _others(self) -> list[Path]:
        """The folders that hold runs of others, as they are when the first trials are launched."""
        outputs = absolute_path("outputs", self.cfg.outputs, Path.cwd())
        return list(collections_below(outputs, self.root.absolute()))


def _of_runs(runs: Sequence[PlannedRun], key: str) -> list[Any]:
    return [run.point[key] for run in runs if key in run.point]
