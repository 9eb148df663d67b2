"""What a job of Slurm does: some runs of a sweep, by the launcher of this machine, and what follows from its signals."""

import os
import signal
import sys
from dataclasses import dataclass

from omegaconf import DictConfig

from convexp.engines.hydra_job import ENGINE, JobRunner
from convexp.engines.local.launch import launch
from convexp.engines.ranks import clear_ranks
from convexp.engines.slurm.commands import requeue, state_now
from convexp.engines.slurm.environment import job_name, restarts
from convexp.engines.slurm.settings import SlurmSettings
from convexp.errors import ConvexpError
from convexp.machine.interruption import interrupt
from convexp.machine.program import begin_program
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

INTERRUPTED = 130  # exit code
# The first is sent ahead of the time limit (``signal_delay_s``), the second before a job is preempted or ended.
NOTICES = (signal.SIGUSR2, signal.SIGTERM)


@dataclass(frozen=True)
class RunSlice:
    """Does runs of a sweep in a job of Slurm. It can be pickled.

    Attributes:
        runner: Hydra as it was where the sweep was started.
        config: The configuration of the sweep.
        overrides: The overrides of each run, with the number and the folder of the run.
        settings: How many runs are done at a time, and how often the job may go back to the queue.
    """

    runner: JobRunner
    config: DictConfig
    overrides: list[list[str]]
    settings: SlurmSettings

    def __call__(self) -> None:
        """Do the runs. When Slurm wants the job to end, they end so that they can be resumed, and it goes back to the queue.

        Raises:
            SystemExit: if the runs were interrupted.
        """
        job = job_name()
        begin_program()
        _set_environment(job)
        self.runner.set_up_hydra()
        for number in NOTICES:
            signal.signal(number, interrupt)  # the first one only: Slurm repeats them
        signal.signal(signal.SIGCONT, signal.SIG_DFL)  # Slurm sends it along; submitit's handler would warn of it
        with lenient_output():
            try:
                self._launch()
            except KeyboardInterrupt:
                console.out.print(
                    f"Slurm job {job}: interrupted, {back_to_queue(job, self.settings.max_requeues)}", markup=False
                )
                sys.exit(INTERRUPTED)  # submitit takes a job that returns for one that is done

    def _launch(self) -> None:
        launch(
            self.runner.context,
            self.runner.task,
            self.config,
            self.settings.processes,
            self.overrides,
            first=0,  # the overrides have the number of each run
            runs_per_gpu=self.settings.runs_per_gpu,
        )


def _set_environment(job: str) -> None:
    """Set the environment of the runs of a job."""
    clear_ranks()
    os.environ[ENGINE] = f"slurm {job}"
    if "SLURM_CPUS_ON_NODE" in os.environ:  # what joblib.cpu_count asks; not every Slurm binds a job to its cores
        os.environ.setdefault("LOKY_MAX_CPU_COUNT", os.environ["SLURM_CPUS_ON_NODE"])


def back_to_queue(job: str, most: int) -> str:
    """Put this job, whose runs were interrupted, back in the queue if that is left to it.

    It is if the job still counts as running: the end of its time is near, or it is about to be preempted, and has time to end
    by itself. A job that was cancelled, or that Slurm has put back in the queue itself, does not.

    Args:
        job: The job.
        most: How often it may be started again.

    Returns:
        What happens to the job, in words.
    """
    try:
        state = state_now(job)
        if state != "RUNNING":
            return f"ended by Slurm ({state})"
        if restarts() >= most:
            return f"not put back in the queue: it was {restarts()} times (hydra.launcher.max_requeues={most})"
        requeue(job)
    except ConvexpError as error:
        return f"could not be put back in the queue ({error})"
    return f"put back in the queue, {restarts() + 1} of at most {most} times"
