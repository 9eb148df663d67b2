"""Starts processes that are forked from ``fork_server.py``; each process of pytest-xdist has a server of its own."""

import atexit
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

SERVER = Path(__file__).with_name("fork_server.py")


@cache
def address() -> str:
    """Where the server of this process listens, which the first call starts."""
    folder = tempfile.mkdtemp(prefix="convexp-fork-")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    server = subprocess.Popen(
        [sys.executable, SERVER, f"{folder}/socket"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**environment, "COLUMNS": "200"},
        start_new_session=True,
    )

    def leave() -> None:
        server.communicate()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(leave)
    while not Path(folder, "socket").exists():
        assert server.poll() is None
        time.sleep(0.01)
    return f"{folder}/socket"


class Forked:
    """A process that runs a target of ``fork_server.py``; the methods are those of ``subprocess.Popen``."""

    def __init__(
        self,
        target: str,
        arguments: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        stdout: IO[str],
        stderr: IO[str],
        start_new_session: bool = False,
        name: str = "",
    ) -> None:
        self.args = (name or target, *arguments)
        self.returncode: int | None = None
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.connection.connect(address())
        job = {
            "target": target,
            "name": name or target,
            "arguments": [str(argument) for argument in arguments],
            "cwd": str(cwd),
            "environment": dict(environment),
            "session": start_new_session,
        }
        socket.send_fds(self.connection, [json.dumps(job).encode()], [stdout.fileno(), stderr.fileno()])
        self.pid = int(self.connection.recv(100))

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once the process has ended."""
        if self.returncode is None:
            if not select.select([self.connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self.connection.recv(100))
            self.connection.close()
        return self.returncode

    def poll(self) -> int | None:
        """The exit code; None while the process runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
