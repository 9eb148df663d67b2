"""The course of a search: trials in batches, whatever an earlier start has left first."""

from hydra.plugins.launcher import Launcher
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial

from convexp.config.messages.suggestions import suggest
from convexp.errors import ConfigError, ConvexpError, one_line
from convexp.records.markers import is_stopped
from convexp.records.settings import display_value
from convexp.studies.overrides import parse_value
from convexp.studies.planning import Job
from convexp.studies.search.jobs import TrialJobs
from convexp.studies.search.outcome import Outcome, outcome_of
from convexp.studies.search.pruning import pruning
from convexp.studies.search.summary import write_summary
from convexp.studies.search.task import SearchTask
from convexp.studies.search.trials import Trials
from convexp.studies.search.waiting import wait_until_free
from convexp.terminal import console
from convexp.terminal.words import plural

UNWRITABLE = (OSError, StorageInternalError)  # as on a full disk
Batch = dict[int, tuple[FrozenTrial, list[Job]]]  # by number of the trial


class Loop:
    """Asks for trials, launches their runs, and tells what they came to.

    Args:
        trials: The trials in their storage.
        jobs: Makes and launches the runs of trials.
        task: What the search is about.
        launcher: Hydra's launcher.
    """

    def __init__(self, trials: Trials, jobs: TrialJobs, task: SearchTask, launcher: Launcher) -> None:
        self.trials = trials
        self.jobs = jobs
        self.task = task
        self.launcher = launcher
        self.set_aside: set[int] = set()  # trials that this start could not bring to an end; the next one tries again

    def run(self) -> None:
        """Go on until there are ``n_trials`` trials and all have ended, or nothing can be done any more.

        Raises:
            ConvexpError: if the folder or the storage cannot be written. The next start goes on from there.
        """
        self._announce()
        try:
            self._run()
        except UNWRITABLE as error:
            raise ConvexpError(
                f"{console.display_path(self.jobs.root)}: the search cannot go on ({one_line(error)}); when it can, the same "
                "command does"
            ) from None

    def _run(self) -> None:
        try:
            while batch := self._next_batch():
                jobs = [job for _, jobs in batch.values() for job in jobs]
                self.jobs.plan(jobs)
                self._write()
                folders = {number: [job.folder for job in jobs] for number, (_, jobs) in batch.items()}
                with pruning(self.trials, self.jobs.root, folders):
                    self.jobs.launch(self.launcher, jobs)
                if not self._tell(batch) or is_stopped(self.jobs.root):
                    break
        finally:
            self._write(with_importance=True)

    def _next_batch(self) -> Batch:
        """The trials that have not ended, and new ones up to the next multiple of ``trials_at_once``.

        So a start after a kill goes on with the same batch, and its trials are the same as without the kill.
        """
        settings = self.trials.settings
        found = [trial for trial in self.trials.open() if trial.number not in self.set_aside]
        count = len(self.trials.all())
        while count < settings.n_trials and (not found or count % settings.trials_at_once):
            found.append(self.trials.ask())
            count += 1
        wait_until_free(self.jobs.root, [folder for trial in found for folder in self.jobs.folders(trial)])
        return {trial.number: (trial, self.jobs.of(trial)) for trial in found}

    def _tell(self, batch: Batch) -> bool:
        """Tell what the trials came to; returns whether a run of any of them has ended.

        Raises:
            ConfigError: if nothing but the lack of the metric has come of the search so far.
        """
        ended = False
        found = {
            number: outcome_of(self.jobs.root, jobs, self.task.seeds, self.task.metric) for number, (_, jobs) in batch.items()
        }
        if all(outcome.others for outcome in found.values()) and not any(
            trial.state.is_finished() for trial in self.trials.all()
        ):
            others = next(iter(found.values())).others
            raise ConfigError(f"hydra.sweeper.metric={self.task.metric}: no run has it{suggest(self.task.metric, others)}")
        for number, (trial, _) in batch.items():
            outcome = found[number]
            ended |= bool(outcome.values) or outcome.reason is not None
            if outcome.waits:
                self.set_aside.add(number)
            else:
                self.trials.tell(trial, outcome)
                self._print(trial, outcome)
        return ended

    def _write(self, with_importance: bool = False) -> None:
        write_summary(self.trials, self.jobs, self.task, with_importance)

    def _announce(self) -> None:
        trials, settings = self.trials.all(), self.trials.settings
        ended = sum(trial.state.is_finished() for trial in trials)
        parts = [
            f"{ended} already done",
            f"{len(trials) - ended} to be resumed",
            f"{max(0, settings.n_trials - len(trials))} new",
        ]
        shown = [part for part in parts if not part.startswith("0 ")]
        root = console.display_path(self.jobs.root)
        how = f"{settings.sampler}, {self.task.direction} {self.task.metric}"
        console.out.print(f"search of {plural(settings.n_trials, 'trial')} in {root}: {', '.join(shown)} ({how})", markup=False)

    def _print(self, trial: FrozenTrial, outcome: Outcome) -> None:
        if outcome.pruned:
            came_to = str(outcome.reason)
        else:
            came_to = f"failed, {outcome.reason}" if outcome.reason else f"{self.task.metric} {outcome.mean:.4g}"
        console.out.print(f"trial {trial.number}: {self._described(trial)}: {came_to}", markup=False)

    def _described(self, trial: FrozenTrial) -> str:
        values = [(d.key, parse_value(d.text(trial.params[d.key]))) for d in self.jobs.space]
        return " ".join(f"{key}={f'{v:.3g}' if isinstance(v, float) else display_value(v)}" for key, v in values)
