"""A real Slurm with one node, for tests: ``slurm`` starts it, with a munge of its own, in a temporary folder and on free ports.

Each process of pytest-xdist has a Slurm of its own. It has two cores, no accounting, and a partition ``urgent`` whose jobs
preempt those of ``main``. It is skipped where Slurm is not installed, or whoever runs the tests is not root.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sweeps import until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue")
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"

# A job that was put back in the queue waits until the credentials of its last start are no longer valid (cred_expire).
CONFIGURATION = """
ClusterName=test
SlurmctldHost=localhost
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=8
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName=localhost NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=60
PartitionName=urgent Nodes=localhost MaxTime=INFINITE State=UP PriorityTier=10
"""


@dataclass(frozen=True)
class Slurm:
    """A Slurm that runs.

    Attributes:
        environment: The environment variables by which Slurm's commands find it.
    """

    environment: dict[str, str]

    def __call__(self, *command: str) -> str:
        """What one of Slurm's commands says."""
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True).stdout

    def alive(self) -> list[str]:
        """The jobs that wait or run."""
        return self("squeue", "--noheader", "--array", "--format=%i").split()

    def told(self, job: str, field: str) -> str:
        """What ``scontrol show job`` says of a job."""
        found = re.search(rf"\b{field}=(\S+)", self("scontrol", "--oneliner", "show", "job", job))
        assert found is not None
        return found[1]

    def clear(self) -> None:
        """Cancel all jobs, and wait until they have ended."""
        self("scancel", "--quiet", "--user=root")
        until(lambda: not self.alive())


@pytest.fixture(scope="session")
def slurm_daemons() -> Iterator[Slurm]:
    lacking = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if lacking:
        pytest.skip(f"Slurm is not installed: no {', '.join(lacking)} (Debian: apt-get install slurm-wlm munge)")
    if sys.platform != "linux" or os.getuid() != 0:
        pytest.skip("a Slurm of the test's own needs root")
    with tempfile.TemporaryDirectory(prefix="convexp-slurm-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        for part in ("state", "spool"):
            (folder / part).mkdir()
        (folder / "slurm.conf").write_text(CONFIGURATION.format(folder=folder, ports=free_ports()))
        started = Slurm({"SLURM_CONF": str(folder / "slurm.conf")})
        stack.enter_context(munge(folder))
        until((folder / "munge.socket").exists)
        stack.enter_context(daemon(folder, "slurmctld", "-D", **started.environment))
        stack.enter_context(daemon(folder, "slurmd", "-D", "-N", "localhost", **started.environment))
        until(lambda: _is_idle(started))
        yield started
        started.clear()


@pytest.fixture
def slurm(slurm_daemons) -> Iterator[Slurm]:
    """A Slurm without jobs."""
    yield slurm_daemons
    slurm_daemons.clear()


def munge(folder: Path):
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    files = {"socket": "munge.socket", "pid-file": "munge.pid", "log-file": "munge.log", "seed-file": "munge.seed"}
    named = [f"--{option}={folder / name}" for option, name in files.items()]
    return daemon(folder, "munged", "--foreground", "--force", f"--key-file={key}", *named)


@contextmanager
def daemon(folder: Path, *command: str, **environment: str) -> Iterator[None]:
    """A program that runs until the block ends, or the process of the tests does."""
    dies_with_us = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    with (folder / f"{command[0]}.out").open("w") as out:
        process = subprocess.Popen(
            [*dies_with_us, *command],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment, "PATH": PATH},
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_ports(count: int = 2) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _is_idle(slurm: Slurm) -> bool:
    try:
        return slurm("sinfo", "--noheader", "--partition=main", "--format=%T").split() == ["idle"]
    except subprocess.CalledProcessError:  # it does not answer yet
        return False
