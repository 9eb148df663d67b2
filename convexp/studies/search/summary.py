"""search.json, written from the trials in the storage."""

from optuna.trial import FrozenTrial, TrialState

from convexp.records.search import COMPLETE, FAILED, PRUNED, RUNNING, SearchedSetting, SearchRecord, SearchTrial, write_search
from convexp.studies.overrides import parse_value
from convexp.studies.search.importance import importance
from convexp.studies.search.jobs import TrialJobs
from convexp.studies.search.task import SearchTask
from convexp.studies.search.trials import REASON, VALUES, Trials

STATES = {TrialState.COMPLETE: COMPLETE, TrialState.FAIL: FAILED, TrialState.PRUNED: PRUNED}


def write_summary(trials: Trials, jobs: TrialJobs, task: SearchTask, with_importance: bool) -> None:
    """Write what the search has found so far into the folder of the sweep.

    Args:
        trials: The trials.
        jobs: Knows the folders of their runs.
        task: What the search is about.
        with_importance: Whether to find out how much each setting matters, which takes a while.
    """
    settings = trials.settings
    found, method = importance(trials.study) if with_importance else ({}, None)
    record = SearchRecord(
        metric=task.metric,
        direction=task.direction,
        sampler=settings.sampler,
        sampler_seed=settings.sampler_seed,
        n_trials=settings.n_trials,
        seeds=task.seeds,
        arguments=jobs.fixed_arguments(),
        space={key: SearchedSetting(**values) for key, values in task.space.items()},
        importance=found,
        method=method,
        trials=[_trial(trial, jobs) for trial in trials.all()],
    )
    write_search(jobs.root, record)


def _trial(trial: FrozenTrial, jobs: TrialJobs) -> SearchTrial:
    known = [(d, d.text(trial.params[d.key])) for d in jobs.space if d.key in trial.params]
    return SearchTrial(
        number=trial.number,
        state=STATES.get(trial.state, RUNNING),
        params={dimension.key: parse_value(text) for dimension, text in known},
        overrides=[f"{dimension.setting}={text}" for dimension, text in known],
        value=trial.value if trial.state is TrialState.COMPLETE else None,  # of one that is pruned: its last report
        values=trial.user_attrs.get(VALUES, {}),
        reason=trial.user_attrs.get(REASON),
        folders=jobs.folders(trial) if len(known) == len(jobs.space) else [],
    )
