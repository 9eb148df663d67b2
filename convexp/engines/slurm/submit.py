"""Submit runs to Slurm."""

import logging
import secrets
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from convexp.engines.slurm.commands import max_array_size
from convexp.engines.slurm.environment import outside_of_any_job
from convexp.engines.slurm.job import RunSlice
from convexp.engines.slurm.settings import SlurmSettings
from convexp.errors import ConvexpError
from convexp.machine.environment import now
from convexp.records.contents import check_way
from convexp.records.submissions import Submission, add_submissions

if TYPE_CHECKING:
    from submitit import SlurmExecutor

FOLDER = ".slurm"  # in the folder of the sweep: scripts, what is sent to the jobs, and their logs
ENGINE = "slurm"


def submit(
    root: Path, settings: SlurmSettings, slices: Sequence[RunSlice], names: Sequence[Sequence[str]]
) -> dict[str, list[str]]:
    """Submit a job for each slice, in job arrays, and record that.

    Args:
        root: Folder of the sweep.
        settings: What the jobs ask for.
        slices: What they do.
        names: Names of the runs of each slice.

    Returns:
        The names of the runs of each job.

    Raises:
        ConvexpError: if Slurm refuses a job; those submitted before it stay.
    """
    held: dict[str, list[str]] = {}
    size = max_array_size()
    for start in range(0, len(slices), size):
        jobs = _submit_array(_new_folder(root), settings, slices[start : start + size])
        submitted = dict(zip(jobs, map(list, names[start : start + size]), strict=True))
        at, host = now(), socket.gethostname()
        add_submissions(
            root,
            [Submission(run=run, engine=ENGINE, job=job, host=host, at=at) for job, runs in submitted.items() for run in runs],
        )
        held |= submitted
    return held


def _new_folder(root: Path) -> Path:
    """A new folder: a job unpickles what lies in its own, which nobody can have laid there before."""
    folder = root / FOLDER / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    check_way(root, folder)
    folder.mkdir(parents=True)
    return folder


def _submit_array(folder: Path, settings: SlurmSettings, slices: Sequence[RunSlice]) -> list[str]:
    from submitit.core.utils import FailedJobError

    with outside_of_any_job():
        try:
            return [job.job_id for job in _executor(folder, settings).submit_array(slices)]
        except FailedJobError as error:  # what sbatch says
            said = str(error).strip().splitlines() or ["sbatch failed"]
            raise ConvexpError(f"Slurm refuses the jobs ({said[-1].removeprefix('sbatch: error: ')})") from None


def _executor(folder: Path, settings: SlurmSettings) -> "SlurmExecutor":
    from submitit import SlurmExecutor

    logging.getLogger("submitit").setLevel(logging.WARNING)
    executor = SlurmExecutor(folder)
    executor.update_parameters(
        **settings.requests(),
        array_parallelism=settings.array_parallelism,
        signal_delay_s=settings.signal_delay_s,
        # submitit would say of an interrupted job that it has completed.
        setup=["export SUBMITIT_LOG_LEVEL=WARNING", *settings.setup],
        additional_parameters={"requeue": True, **(settings.additional_parameters or {})},
    )
    return executor
