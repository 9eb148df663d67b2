"""Which runs of a sweep Slurm holds, in its queue or at work."""

import re
from pathlib import Path

from convexp.engines.slurm.commands import JobState, job_states
from convexp.engines.slurm.submit import ENGINE, FOLDER
from convexp.records.submissions import read_submissions

SENT = re.compile(r"(\d+(_\d+)?)_(submitted|\d+_result)\.pkl")  # what submitit sends to a job, and what comes back


def held_runs(root: Path) -> dict[str, tuple[str, JobState]]:
    """Return the job that holds a run, and its state, for each run of the sweep in ``root`` that Slurm holds.

    Raises:
        ConvexpError: if Slurm does not answer.
    """
    jobs = {run: each.job for run, each in read_submissions(root).items() if each.engine == ENGINE}
    states = job_states(jobs.values())
    return {run: (job, states[job]) for run, job in jobs.items() if job in states and not states[job].has_ended}


def remove_pickles(root: Path) -> None:
    """Remove what was sent to jobs that have ended, and what they sent back; their logs stay.

    Raises:
        ConvexpError: if Slurm does not answer.
    """
    files = {file: found[1] for file in (root / FOLDER).glob("*/*.pkl") if (found := SENT.fullmatch(file.name))}
    states = job_states(files.values())
    for file, job in files.items():
        if job not in states or states[job].has_ended:
            file.unlink(missing_ok=True)
