"""What a process of Ray's does: one run, as the launcher would."""

import os
import pickle
import platform
import signal
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from omegaconf import DictConfig

from convexp.engines.hydra_job import ENGINE, JobRunner
from convexp.engines.ranks import clear_ranks
from convexp.engines.ray.messages import Job, Place
from convexp.engines.results import JobResult
from convexp.errors import ConvexpError
from convexp.machine import interruption
from convexp.machine.program import begin_program
from convexp.records.statuses import is_busy

LET_GO = 120  # seconds until the process that had the run before has surely let its folder go, if it ever does


def do_run(work: bytes, job: Job, place: Place) -> bytes:
    """Do a run in this process, and return its ``JobResult``, pickled.

    Args:
        work: A ``JobRunner``, pickled: what it is made of may lie where ``place`` says.
        job: The run.
        place: Where the sweep was started.

    Raises:
        ConvexpError: if this machine lacks the working directory of the sweep.
        KeyboardInterrupt: if the run is interrupted.
    """
    begin_program()
    _move_to(place)
    out, err = StringIO(), StringIO()
    value, exit_code = None, None
    with redirect_stdout(out), redirect_stderr(err), _interruptible():
        runner: JobRunner = pickle.loads(work)
        config: DictConfig = pickle.loads(job.config)
        if job.attempt > 0:
            _wait_until_free(Path(config.hydra.sweep.dir, config.hydra.sweep.subdir))
        try:
            value = runner(config)
        except SystemExit as end:  # Ray would take it for a crash, and do the run again
            exit_code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return pickle.dumps(JobResult(job.number, value, out.getvalue(), err.getvalue(), exit_code))


def _move_to(place: Place) -> None:
    """Make this process as if it had been started where the sweep was."""
    import ray

    os.environ.update(place.environment)
    clear_ranks()
    os.environ[ENGINE] = f"ray {platform.node()}/{ray.get_runtime_context().get_job_id()}"
    sys.path += [folder for folder in place.import_path if folder not in sys.path]
    try:
        os.chdir(place.folder)
    except OSError as error:
        raise ConvexpError(
            f"{place.folder}: is no folder on the node {platform.node()} ({error.strerror}); all nodes need the folders of the "
            "sweep at the same paths"
        ) from None


@contextmanager
def _interruptible() -> Generator[None]:
    """A context in which signals interrupt the run: Ray raises SIGINT to cancel it, a node that is shut down sends SIGTERM."""
    interruption.forget()
    before = {number: signal.signal(number, interruption.interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_until_free(folder: Path) -> None:
    """Wait until no process runs in the folder: that which was lost may take a moment to end."""
    end = time.monotonic() + LET_GO
    while is_busy(folder) and time.monotonic() < end:
        time.sleep(0.2)
