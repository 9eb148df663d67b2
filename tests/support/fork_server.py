"""As a program: forks processes that run a module as ``python -m`` does, but find torch and Lightning already imported.

A process runs ``MODULE``, or a file ``NAME.py``, or the function ``MODULE:FUNCTION`` as the command of an installed package.

Importing them takes seconds of a core, and the tests start hundreds of processes. Hydra has composed a configuration, too: the
first takes a process twice as long as the next. ``python fork_server.py SOCKET`` listens until its stdin ends. Each connection
is one process: the server receives what to run, with the files for its stdout and stderr, and sends the process's number, and
in the end its exit code. ``forked.py`` is the other side.

A process ends as Python ends it, but does not take down what it has imported: that takes as long as half of the imports.

The fork server of ``multiprocessing`` is a Python of its own, too, that would import everything again. A spare process, forked
before the module runs, takes its place: a child of the same parent that knows as little of what that has done.
"""

import atexit
import gc
import importlib
import json
import multiprocessing.util
import os
import random
import runpy
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

PRELOAD = (
    "convexp.execution.preload",  # first: Lightning is imported as for a run
    "torch._dynamo",
    "torch.utils.tensorboard",
    "torchmetrics",
    "matplotlib.pyplot",
    "pandas",
    "convexp.execution.count_run",
    "convexp.execution.reprobe",
    "convexp.execution.setup",
    "convexp.reporting.report",
    "convexp.cli.application",
    "convexp.cli.run",
)
LARGEST = 1 << 20  # bytes of a message


def job_for_this_process(server: socket.socket) -> tuple[dict, list[int]]:
    """Serve; return only in a process that has been forked to run something, with what that is."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    while sys.stdin not in select.select([server, sys.stdin], [], [])[0]:
        connection, _ = server.accept()
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            server.close()
            message, files, *_ = socket.recv_fds(connection, LARGEST, 2)
            job = json.loads(message)
            if keep(connection, files, job["session"]):
                return job, files
        connection.close()
    os._exit(0)


def keep(connection: socket.socket, files: list[int], session: bool) -> bool:
    """Fork the process, in which this returns, and tell ``connection`` its number and how it ended.

    The number is told once the process leads its session, if it is to: a signal to its group finds it from then on.
    """
    begun, to_begin = os.pipe()
    if not (pid := os.fork()):
        connection.close()
        if session:
            os.setsid()
        os.close(begun), os.close(to_begin)
        return True
    os.close(to_begin)
    os.read(begun, 1)  # returns when the process has closed its end
    os.close(begun)
    for file in files:
        os.close(file)
    try:
        connection.send(str(pid).encode())
        connection.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
    except BrokenPipeError:  # the test is over
        pass
    os._exit(0)


def become(job: dict, files: list[int]) -> None:
    """Give this process what Python gives a new one: folder, environment, files, arguments and search path."""
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["environment"])
    for number, file in enumerate([os.open(os.devnull, os.O_RDONLY), *files]):
        os.dup2(file, number)
        os.close(file)
    random.seed()
    sys.argv = [job["name"], *job["arguments"]]
    own = [str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:1] = own if ":" in job["target"] else [str(Path.cwd()), *own]


def run(target: str) -> None:
    """Run a module, a file or a function."""
    if ":" in target:
        module, _, function = target.partition(":")
        sys.exit(getattr(importlib.import_module(module), function)())
    if target.endswith(".py"):
        runpy.run_path(target, run_name="__main__")
    else:
        runpy.run_module(target, run_name="__main__", alter_sys=True)


def to_the_end(do: Callable[[], object]) -> NoReturn:
    """Call ``do``; then end this process as Python does, without its imports' destructors; other errors are left to Python."""
    code: object = None
    try:
        do()
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        gc.unfreeze()  # what stays frozen to the end, Triton reports as a leak
        raise
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # waits for threads that are no daemons
    atexit._run_exitfuncs()
    sys.stdout.flush(), sys.stderr.flush()
    os._exit(code or 0)


class Spare:
    """A child process that waits to become the fork server of ``multiprocessing``; it ends if its parent does."""

    def __init__(self) -> None:
        self.connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.start_python = multiprocessing.util.spawnv_passfds
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # those to the group are not for it
        self.pid = os.fork()
        if not self.pid:
            self.connection.close()
            self.wait(theirs)
        theirs.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def spawn(self, path: str, arguments: list[str], files: list[int]) -> int:
        """In place of ``multiprocessing.util.spawnv_passfds``."""
        code = arguments[-1]
        if not self.pid or "multiprocessing.forkserver" not in str(code):
            return self.start_python(path, arguments, files)
        mask = [*map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))]
        message = {"code": code, "files": [*map(int, files)], "environment": dict(os.environ), "mask": mask}
        socket.send_fds(self.connection, [json.dumps(message).encode()], [*map(int, files)])
        self.connection.close()
        pid, self.pid = self.pid, 0
        return pid

    def wait(self, connection: socket.socket) -> None:
        """Wait for the message; then be the server until it ends."""
        message, files, *_ = socket.recv_fds(connection, LARGEST, 8)
        if not message:
            os._exit(0)
        job = json.loads(message)
        os.environ.clear()
        os.environ.update(job["environment"])
        high = 1000
        for number, file in enumerate(files):  # out of each other's way
            os.dup2(file, high + number)
        os.closerange(3, high)
        for number, file in enumerate(job["files"]):
            os.dup2(high + number, file)
            os.close(high + number)
        random.seed()
        signal.pthread_sigmask(signal.SIG_SETMASK, job["mask"])
        to_the_end(lambda: exec(job["code"], {"__name__": "__main__"}))


def main(address: str) -> None:
    """Serve at ``address``; in a process that has been forked, run the module."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(f"{address}.new")
    server.listen(100)
    Path(f"{address}.new").rename(address)  # who sees it can connect
    for name in PRELOAD:
        importlib.import_module(name)
    importlib.import_module("convexp.config.compose").compose_config("model=conv")
    gc.collect()
    gc.freeze()  # no process looks for garbage in the imports, or copies their pages to do so
    job, files = job_for_this_process(server)
    become(job, files)
    multiprocessing.util.spawnv_passfds = Spare().spawn
    to_the_end(lambda: run(job["target"]))


if __name__ == "__main__":
    main(sys.argv[1])
