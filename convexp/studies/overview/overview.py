"""An overview of the runs below a folder: how many are in which state, who does those that run, and when all will be done."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from convexp.records.plan import Plan
from convexp.records.status import RunStatus
from convexp.records.train_log import read_pace
from convexp.studies.overview.holders import Holder, Holders, Life
from convexp.studies.overview.remaining import Work, mean, seconds_to_the_end
from convexp.studies.overview.runs import SeenRun, read_runs


class Stage(StrEnum):
    """Where a run stands."""

    FINISHED = "finished"
    RUNNING = "running"
    WAITING = "waiting"  # planned, or in the queue of an engine, also to go on after an interruption
    INTERRUPTED = "interrupted"
    PRUNED = "pruned"  # a search has stopped it
    FAILED = "failed"
    WRONG = "wrong settings"
    UNREADABLE = "unreadable"


STAGES = {
    RunStatus.FINISHED: Stage.FINISHED,
    RunStatus.PRUNED: Stage.PRUNED,
    RunStatus.FAILED: Stage.FAILED,
    RunStatus.WRONG: Stage.WRONG,
    RunStatus.INTERRUPTED: Stage.INTERRUPTED,
    RunStatus.RUNNING: Stage.INTERRUPTED,  # of one that nobody holds: its process was killed
    RunStatus.MISSING: Stage.WAITING,
}


class RunView(Struct, frozen=True, kw_only=True):
    """A run in an overview.

    Attributes:
        path: Its folder, relative to the one that is looked at.
        stage: Where it stands.
        holder: The process that does it; None if none does.
        epoch: How many epochs are done; None if that is not known.
        epochs: For how many epochs it is to be trained; None if that is not known.
        pace: Seconds that an epoch takes; None if that is not known.
        remaining: Seconds that it will probably still take; None if nothing is known.
        error: The last line of its error; None if there is none.
        job: What the engine that it was handed to calls it, such as ``slurm 123_4``; None if it was handed to none.
        again: Whether it was interrupted, and its job is to go on with it.
    """

    path: str
    stage: Stage
    holder: Holder | None = None
    epoch: int | None = None
    epochs: int | None = None
    pace: float | None = None
    remaining: float | None = None
    error: str | None = None
    job: str | None = None
    again: bool = False


class Overview(Struct, frozen=True, kw_only=True):
    """The runs below a folder.

    Attributes:
        folder: The folder.
        counts: How many runs are in which stage; stages of none are left out.
        remaining: Seconds until all that run and wait are done, probably; None if nothing is known, or nothing runs.
        runs: The runs.
        command: The arguments of the command that started the sweep; empty for a folder that is none.
    """

    folder: str
    counts: dict[Stage, int]
    remaining: float | None
    runs: list[RunView]
    command: list[str]

    @property
    def is_over(self) -> bool:
        """Whether nothing runs or waits any more."""
        return not (self.counts.get(Stage.RUNNING) or self.counts.get(Stage.WAITING))


class Overviews:
    """Looks at a folder again and again.

    Args:
        root: The folder.
        holders: Looks at who holds the folders of runs.
    """

    def __init__(self, root: Path, holders: Holders) -> None:
        self.root = root
        self.holders = holders
        self._plans: dict[Path, Plan | None] = {}

    def look(self) -> Overview:
        """Look at the folder.

        Raises:
            ConvexpError: If a newer version of convexp wrote a plan.
        """
        seen = read_runs(self.root, self._plans)
        usual = mean(run.seconds for run in seen if run.state is RunStatus.FINISHED)
        held = self._held(seen)
        runs = [self._view(run, usual, run.path in held) for run in seen]
        counts, plan = Counter(run.stage for run in runs), self._plans[self.root]
        return Overview(
            folder=str(self.root),
            counts={stage: counts[stage] for stage in Stage if counts[stage]},
            remaining=_remaining(runs, usual),
            runs=runs,
            command=plan.command if plan else [],
        )

    def _held(self, seen: Sequence[SeenRun]) -> set[str]:
        """The paths of runs that were interrupted, and that an engine still holds to go on with them, if it can be asked."""
        paths: dict[Path, set[str]] = {}
        for run in seen:
            if run.submission and STAGES.get(run.state) is Stage.INTERRUPTED:
                sweep = (self.root / run.path).parents[len(Path(run.submission.run).parts) - 1]
                paths.setdefault(sweep, set()).add(run.path)
        if not paths:
            return set()
        from convexp.engines.waiting import waiting_runs  # not at the top: it imports Hydra

        held = {str((sweep / name).relative_to(self.root)) for sweep in paths for name in waiting_runs(sweep)}
        return held & {path for within in paths.values() for path in within}

    def _view(self, run: SeenRun, usual: float | None, is_held: bool) -> RunView:
        job = f"{run.submission.engine} {run.submission.job}" if run.submission else None
        if run.state is RunStatus.FINISHED:
            return RunView(path=run.path, stage=Stage.FINISHED)
        holder = self.holders.find(self.root / run.path)
        if holder is not None and holder.life is not Life.DEAD:
            return self._running(run, holder, usual, job)
        stage = Stage.WAITING if is_held else STAGES.get(run.state, Stage.UNREADABLE)
        error = None if stage is Stage.WAITING else run.error
        return RunView(path=run.path, stage=stage, holder=holder, error=error, epochs=run.epochs, job=job, again=is_held)

    def _running(self, run: SeenRun, holder: Holder, usual: float | None, job: str | None) -> RunView:
        pace = read_pace(self.root / run.path)
        work = Work(epochs=run.epochs, done=pace.epochs if pace else None, pace=pace.seconds if pace else None, usual=usual)
        return RunView(
            path=run.path,
            stage=Stage.RUNNING,
            holder=holder,
            epoch=work.done,
            epochs=run.epochs,
            pace=work.pace,
            remaining=work.remaining(),
            job=job,
        )


def _remaining(runs: Sequence[RunView], usual: float | None) -> float | None:
    running = [run for run in runs if run.stage is Stage.RUNNING]
    if usual is None:  # none has finished yet
        usual = mean(run.pace * run.epochs for run in running if run.pace and run.epochs)
    waiting = sum(run.stage is Stage.WAITING for run in runs)
    return seconds_to_the_end([run.remaining for run in running], waiting, usual)
