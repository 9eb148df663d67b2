"""The driver of Ray, in a process of its own: gives Ray the runs that the launcher sends, and reports what becomes of them.

Ray takes over signals, prints on the streams of its driver, may try for minutes to reach a cluster, and allows one connection
in a process. Here none of that gets in the way of the launcher. If the launcher ends, however it does, the runs are
interrupted, and a Ray that was started for them is stopped.
"""

import os
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from convexp.engines.ray.connect import connect
from convexp.engines.ray.messages import CANCEL, Done, Failed, Job, Lost, Place, Ready
from convexp.engines.ray.settings import RaySettings
from convexp.engines.ray.task import do_run
from convexp.errors import one_line

LOOK = 0.2  # seconds between looks at what the launcher has sent, while runs go on


def main(descriptor: int) -> None:
    """Serve the launcher at the other end of a connection, until it closes that.

    Args:
        descriptor: File descriptor of this end.
    """
    os.set_inheritable(descriptor, False)  # Ray's processes must not hold it open
    connection = Connection(descriptor)
    settings: RaySettings = connection.recv()
    os.chdir("/")  # Ray lets its processes search modules in the driver's folder, before all others
    try:
        nodes = connect(settings)
    except Exception as error:
        connection.send(Failed(one_line(error)))
        return
    import ray

    try:
        connection.send(Ready(nodes))
        if (work := _receive(connection)) is not None:
            _serve(connection, _Tasks(settings, *work))
    finally:
        ray.shutdown()


def _receive(connection: Connection) -> Any:
    """What the launcher sent; None if it has closed the connection."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        return None


class _Tasks:
    """The runs that Ray has been given and that have not ended.

    Args:
        settings: The settings of the launcher.
        work: The ``JobRunner``, pickled.
        place: Where the sweep was started.
    """

    def __init__(self, settings: RaySettings, work: bytes, place: Place) -> None:
        import ray

        # Not retried by Ray, but by the launcher: it says so, and its runs wait until their folder is free.
        options: dict[str, Any] = {"num_cpus": settings.num_cpus, "num_gpus": settings.num_gpus, "max_retries": 0}
        options["resources"] = settings.resources or None
        self._task: Any = ray.remote(**options)(do_run)
        self._common = ray.put(work), ray.put(place)
        self.running: dict[Any, int] = {}

    def submit(self, job: Job) -> None:
        """Give Ray a run."""
        work, place = self._common
        self.running[self._task.options(name=job.name).remote(work, job, place)] = job.number

    def cancel(self) -> None:
        """Interrupt all runs."""
        import ray

        for task in self.running:
            ray.cancel(task)

    def ended(self, timeout: float) -> Done | Lost | None:
        """What became of a run that ends within ``timeout`` seconds; None if there is none."""
        import ray

        ready, _ = ray.wait(list(self.running), timeout=timeout)
        return _outcome(ready[0], self.running.pop(ready[0])) if ready else None


def _outcome(task: Any, number: int) -> Done | Lost:
    import ray
    from ray import exceptions

    lost = {
        exceptions.WorkerCrashedError: "its process was killed or has crashed, perhaps for want of memory",
        exceptions.OutOfMemoryError: "its process was killed, as the memory of its node ran out",
        exceptions.NodeDiedError: "its node was lost",
        exceptions.ObjectLostError: "its node was lost",
    }
    try:
        return Done(number, ray.get(task))
    except exceptions.TaskCancelledError:
        return Lost(number, "interrupted", again=True)
    except exceptions.RayTaskError as error:
        cause: Any = error.cause
        return Lost(number, f"{type(cause).__name__}: {one_line(cause)}", again=False)
    except exceptions.RayError as error:
        said = next((text for kind, text in lost.items() if isinstance(error, kind)), None)
        return Lost(number, said or f"{type(error).__name__}: {one_line(error)}", again=True)


def _serve(connection: Connection, tasks: _Tasks) -> None:
    """Do what the launcher asks for until it closes the connection and no run goes on."""
    listening = True
    while listening or tasks.running:
        while listening and connection.poll(0 if tasks.running else None):
            message = _receive(connection)
            if isinstance(message, Job):
                tasks.submit(message)
                continue
            assert message in (CANCEL, None)
            listening = message is not None
            tasks.cancel()
        if tasks.running and (outcome := tasks.ended(LOOK)):
            with suppress(OSError):  # the launcher has ended
                connection.send(outcome)
