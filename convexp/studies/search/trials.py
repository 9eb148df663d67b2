"""The trials of a search, as its storage keeps them: asked for, told, and found again by the next start."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from convexp.errors import ConfigError
from convexp.studies.search.outcome import Outcome
from convexp.studies.search.samplers import make_pruner, make_sampler
from convexp.studies.search.settings import SearchSettings
from convexp.studies.search.space import Dimension
from convexp.studies.search.task import MAX_NAMED, SearchTask
from convexp.terminal.console import display_path

TASK, FOLDER, VALUES, REASON = "convexp", "folder", "values", "reason"  # attributes of the study, and of a trial


class Trials:
    """The trials of one search. Only one process may work on them.

    Args:
        storage: Where they are kept.
        name: Name of the search in the storage.
        where: The storage, for messages.
        task: What the search is about.
        settings: How the space is searched.
        space: What is searched.

    Raises:
        ConfigError: if the storage holds another search of this name.
    """

    def __init__(
        self,
        storage: BaseStorage,
        name: str,
        where: str,
        task: SearchTask,
        settings: SearchSettings,
        space: Sequence[Dimension],
    ) -> None:
        self.storage = storage
        self.settings = settings
        self.where = where
        self.pruner = make_pruner(settings)
        self._reported: dict[int, dict[int, float]] = {}  # by number of the trial and epoch
        self.distributions = {dimension.key: dimension.distribution for dimension in space}
        self.study = self._open(storage, name, where, task)
        self._study_id = storage.get_study_id_from_name(name)

    @staticmethod
    def _open(storage: BaseStorage, name: str, where: str, task: SearchTask) -> optuna.Study:
        if name in optuna.get_all_study_names(storage):
            study = optuna.load_study(study_name=name, storage=storage)
            _check_same(study, name, where, task)
            if TASK in study.user_attrs:
                return study
            optuna.delete_study(study_name=name, storage=storage)  # it was killed in between, before any trial
        study = optuna.create_study(storage=storage, study_name=name, direction=task.direction)
        study.set_user_attr(TASK, task.as_attribute())
        return study

    def claim(self, root: Path) -> None:
        """Note that the trials are those of the folder ``root``.

        Raises:
            ConfigError: if they are those of another folder, which still exists: they have their runs there.
        """
        here, before = str(root.absolute()), self.study.user_attrs.get(FOLDER)
        if before != here:
            if before is not None and Path(before).is_dir():
                raise ConfigError(
                    f"{self.where}: its study {self.study.study_name} is the search in {display_path(Path(before))}; name "
                    "another study_name, or another storage"
                )
            self.study.set_user_attr(FOLDER, here)

    def all(self) -> list[FrozenTrial]:
        """Return all trials by number."""
        return self.study.get_trials(deepcopy=False)

    def open(self) -> list[FrozenTrial]:
        """Return the trials that have no result yet; those that an earlier start was killed in are completed."""
        return [self._complete(trial) for trial in self.all() if trial.state is TrialState.RUNNING]

    def ask(self) -> FrozenTrial:
        """Begin a trial: choose the settings of the next one."""
        self.study.sampler = make_sampler(self.settings, len(self.all()))
        trial = self.study.ask(self.distributions)
        return self.all()[trial.number]

    def _complete(self, trial: FrozenTrial) -> FrozenTrial:
        """Choose the settings that are missing because the process was killed while it chose them."""
        if trial.params.keys() == self.distributions.keys():
            return trial
        self.study.sampler = make_sampler(self.settings, trial.number)
        asked = optuna.trial.Trial(self.study, self._id(trial))
        for name, distribution in self.distributions.items():
            _suggest(asked, name, distribution)
        return self.all()[trial.number]

    def tell(self, trial: FrozenTrial, outcome: Outcome) -> None:
        """End a trial with what its runs came to."""
        self._note(trial, VALUES, {str(seed): value for seed, value in outcome.values.items()})
        if outcome.reason is not None:
            self._note(trial, REASON, outcome.reason)
            self.study.tell(trial.number, state=TrialState.PRUNED if outcome.pruned else TrialState.FAIL)
        else:
            self.study.tell(trial.number, outcome.mean)

    def report(self, number: int, values: Mapping[int, float]) -> bool:
        """Report the values of a trial by epoch; returns whether the pruner would stop the trial at any of them."""
        if self.pruner is None:
            return False
        trial_id = self.storage.get_trial_id_from_study_id_trial_number(self._study_id, number)
        stops = False
        known = self._reported.setdefault(number, {})
        for epoch, value in values.items():
            if known.get(epoch) == value:
                continue
            known[epoch] = value
            self.storage.set_trial_intermediate_value(trial_id, epoch, value)
            stops = stops or self.pruner.prune(self.study, self.storage.get_trial(trial_id))
        return stops

    def _note(self, trial: FrozenTrial, name: str, value: Any) -> None:
        self.storage.set_trial_user_attr(self._id(trial), name, value)

    def _id(self, trial: FrozenTrial) -> int:
        return self.storage.get_trial_id_from_study_id_trial_number(self._study_id, trial.number)


def _suggest(trial: optuna.Trial, name: str, distribution: optuna.distributions.BaseDistribution) -> None:
    match distribution:
        case optuna.distributions.CategoricalDistribution(choices=choices):
            trial.suggest_categorical(name, choices)
        case optuna.distributions.IntDistribution(low=low, high=high, step=step, log=log):
            trial.suggest_int(name, low, high, step=step, log=log)
        case optuna.distributions.FloatDistribution(low=low, high=high, step=step, log=log):
            trial.suggest_float(name, low, high, step=step, log=log)
        case _:
            raise TypeError(distribution)


def _check_same(study: optuna.Study, name: str, where: str, task: SearchTask) -> None:
    before = study.user_attrs.get(TASK)
    if before is None and study.get_trials(deepcopy=False):
        raise ConfigError(f"{where}: its study {name} is none of convexp; name another storage, or another study_name")
    if before is not None and (differ := task.differences(before)):
        more = f" and {len(differ) - MAX_NAMED} more" if len(differ) > MAX_NAMED else ""
        raise ConfigError(
            f"{where}: holds a search that differs in {'; '.join(differ[:MAX_NAMED])}{more}; keep them apart by another "
            "hydra.sweep.dir"
        )
