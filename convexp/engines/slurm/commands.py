"""Slurm's own commands: what they are asked, and what they answer. None of them needs Slurm's accounting but ``sacct``."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from convexp.errors import ConvexpError

SECONDS = 60  # for an answer; Slurm's own limit is shorter
# The states in which Slurm does no more with a job, and those in which it has not begun or not begun again.
ENDED = frozenset(
    {
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "REVOKED",
        "TIMEOUT",
    }
)
WAITING = frozenset({"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"})


@dataclass(frozen=True)
class JobState:
    """What Slurm says of a job.

    Attributes:
        name: Its state, such as ``PENDING``.
        reason: Why it waits, or why it ended, such as ``Resources``; ``None`` as Slurm's word for no reason.
    """

    name: str
    reason: str = "None"

    @property
    def has_ended(self) -> bool:
        """Whether Slurm does no more with the job."""
        return self.name in ENDED

    @property
    def waits(self) -> bool:
        """Whether the job is in the queue."""
        return self.name in WAITING


def ask(*command: str) -> str:
    """Return what a command of Slurm writes to stdout.

    Raises:
        ConvexpError: with the last line of its stderr, if it fails.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConvexpError(f"{command[0]}: {error}") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise ConvexpError(f"{command[0]}: {lines[-1].removeprefix(f'{command[0]}: ').removeprefix('error: ')}")
    return done.stdout


def partitions() -> list[str]:
    """Names of the partitions of the cluster."""
    return list(dict.fromkeys(ask("sinfo", "--noheader", "--format=%R").split()))


def job_states(jobs: Iterable[str]) -> dict[str, JobState]:
    """Return the states of jobs such as ``123`` and ``123_4``; those that Slurm has forgotten are missing.

    Raises:
        ConvexpError: if Slurm does not answer.
    """
    wanted = set(jobs)
    if not wanted:
        return {}
    numbers = ",".join(sorted({job.partition("_")[0] for job in wanted}))
    try:
        lines = ask("squeue", "--noheader", "--array", "--states=all", f"--jobs={numbers}", "--format=%i|%T|%r").splitlines()
    except ConvexpError as error:
        if "Invalid job id" in str(error):
            return {}
        raise
    found = (line.strip().split("|", 2) for line in lines)
    return {job: JobState(state, reason) for job, state, reason in found if job in wanted}


def last_state(job: str) -> str:
    """The state in which a job ended that ``squeue`` has forgotten; ``unknown to Slurm`` without accounting."""
    try:
        said = ask("sacct", "--noheader", "--parsable2", "--allocations", f"--jobs={job}", "--format=State").split()
    except ConvexpError:
        return "unknown to Slurm"
    return said[-1] if said else "unknown to Slurm"


def state_now(job: str) -> str:
    """The state of a job that runs, such as ``RUNNING``, as the controller has it.

    Raises:
        ConvexpError: if Slurm does not answer.
    """
    found = re.search(r"JobState=(\w+)", ask("scontrol", "--oneliner", "show", "job", job))
    return found[1] if found else "unknown"


def requeue(job: str) -> None:
    """Put a job that runs back in the queue; Slurm ends its processes.

    Raises:
        ConvexpError: if Slurm does not do it.
    """
    ask("scontrol", "requeue", job)


def cancel(jobs: Iterable[str], pending_only: bool = False) -> None:
    """Cancel jobs, or only those that wait in the queue; those that have ended are left alone.

    Raises:
        ConvexpError: if Slurm does not answer.
    """
    names = sorted(jobs)
    for start in range(0, len(names), 1000):
        ask("scancel", "--quiet", *(["--state=PENDING"] if pending_only else []), *names[start : start + 1000])


def max_array_size() -> int:
    """How many tasks a job array may have."""
    found = re.search(r"MaxArraySize\s*=\s*(\d+)", ask("scontrol", "show", "config"))
    return max(int(found[1]), 1) if found else 1001
