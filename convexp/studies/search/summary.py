"""search.json, written from the trials in the storage."""

from collections.abc import Callable, Sequence
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from convexp.records.search import COMPLETE, FAILED, RUNNING, SearchRecord, SearchTrial, write_search
from convexp.studies.overrides import parse_value
from convexp.studies.search.importance import importance
from convexp.studies.search.settings import SearchSettings
from convexp.studies.search.space import Dimension
from convexp.studies.search.task import SearchTask
from convexp.studies.search.trials import REASON, VALUES

STATES = {TrialState.COMPLETE: COMPLETE, TrialState.FAIL: FAILED}


def write_summary(
    root: Path,
    study: optuna.Study,
    task: SearchTask,
    settings: SearchSettings,
    space: Sequence[Dimension],
    folders: Callable[[FrozenTrial], list[str]],
    with_importance: bool,
) -> None:
    """Write what the search has found so far.

    Args:
        root: Folder of the sweep.
        study: The trials.
        task: What the search is about.
        settings: How the space is searched.
        space: What is searched.
        folders: Names the folders of a trial's runs.
        with_importance: Whether to find out how much each setting matters, which takes a while.
    """
    found, method = importance(study) if with_importance else ({}, None)
    trials = [_trial(trial, space, folders) for trial in study.get_trials(deepcopy=False)]
    record = SearchRecord(
        metric=task.metric,
        direction=task.direction,
        sampler=settings.sampler,
        sampler_seed=settings.sampler_seed,
        n_trials=settings.n_trials,
        seeds=task.seeds,
        space=task.space,
        importance=found,
        method=method,
        trials=trials,
    )
    write_search(root, record)


def _trial(trial: FrozenTrial, space: Sequence[Dimension], folders: Callable[[FrozenTrial], list[str]]) -> SearchTrial:
    texts = {d.key: d.text(trial.params[d.key]) for d in space if d.key in trial.params}
    return SearchTrial(
        number=trial.number,
        state=STATES.get(trial.state, RUNNING),
        params={key: parse_value(text) for key, text in texts.items()},
        value=trial.value,
        values=trial.user_attrs.get(VALUES, {}),
        reason=trial.user_attrs.get(REASON),
        folders=folders(trial) if len(texts) == len(space) else [],
    )
