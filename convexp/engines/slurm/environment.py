"""What the environment variables of a process say of the job of Slurm that it belongs to."""

import os
from collections.abc import Generator
from contextlib import contextmanager

CLUSTER = "SLURM_CONF"  # says which cluster is meant, and not which job this is


@contextmanager
def outside_of_any_job() -> Generator[None]:
    """A context without the variables of a job of Slurm, from which jobs submitted in it would take over what it asked for."""
    inherited = {name: value for name, value in os.environ.items() if name.startswith("SLURM_") and name != CLUSTER}
    for name in inherited:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(inherited)


def job_name() -> str:
    """What Slurm calls the job that this process belongs to: ``123``, or ``123_4`` for a task of an array."""
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}" if array else os.environ["SLURM_JOB_ID"]


def restarts() -> int:
    """How often Slurm has started this job before."""
    return int(os.environ.get("SLURM_RESTART_COUNT", "0"))
