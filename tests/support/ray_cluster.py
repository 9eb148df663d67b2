"""A Ray cluster of the test's own on this machine: nodes that are processes, in a folder and on ports that nobody else has."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sweeps import until

# Without a token: whether there is one in the home folder of whoever runs the tests must not matter.
ENVIRONMENT = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
NODE = ("--num-cpus=1", "--object-store-memory=80000000", "--disable-usage-stats", "--block")


@dataclass
class Cluster:
    """A cluster whose head has one CPU and, as it says, one GPU.

    Attributes:
        folder: The folder that its nodes write to.
        address: The address of its head.
        client: The address for clients from outside of the cluster.
    """

    folder: Path
    address: str = ""
    client: str = ""
    nodes: ExitStack = field(default_factory=ExitStack)

    def start_head(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.client = f"ray://127.0.0.1:{port}"
        self.nodes.enter_context(
            self.node("--head", "--num-gpus=1", "--port=0", f"--ray-client-server-port={port}", "--include-dashboard=false")
        )
        self.address = (self.folder / "head" / "ray_current_cluster").read_text().strip()

    @contextmanager
    def node(self, *arguments, name="head"):
        """A node that has started, and is gone afterwards. On a busy machine Ray gives its own start up after half a minute."""
        process = None
        try:
            for _ in range(5):
                process = self._start(arguments, name)
                out = self.folder / f"{name}.txt"
                until(lambda: process.poll() is not None or "Ray runtime started" in out.read_text())  # noqa: B023  called here
                if process.poll() is None:
                    break
                kill_group(process)
            else:
                raise AssertionError(out.read_text())
            yield process
        finally:
            if process is not None:
                kill_group(process)

    def _start(self, arguments, name):
        with (self.folder / f"{name}.txt").open("w") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "ray.scripts.scripts", "start", f"--temp-dir={self.folder / name}", *NODE, *arguments],
                env={**os.environ, **ENVIRONMENT},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def raylets(self, name="head"):
        """The numbers of the processes that start the workers of a node."""
        return [
            pid for pid in processes() if f"{self.folder / name}/" in command_of(pid) and "/raylet/raylet" in command_of(pid)
        ]


@contextmanager
def ray_cluster():
    """A cluster that has a head."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # the names of sockets have 107 characters at most
    cluster = Cluster(folder)
    try:
        with cluster.nodes:
            cluster.start_head()
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def kill_group(process):
    """Kill a node; its workers have groups of their own, and end when they find that it is gone."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def processes():
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def command_of(pid):
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def parent_of(pid):
    """The number of the process that started another; None if that has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None
