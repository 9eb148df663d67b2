"""The other processes of a data-parallel run, as rank 0, which is the run's own process, starts and ends them."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO

from convexp.machine.processes import Place
from convexp.records.settings import last_line

MODULE = "convexp.execution.ddp_worker"
GRACE = 20  # seconds for the others to end by themselves after the training


class OtherRanks:
    """Processes of this machine that train with this one. They end when it ends, however that happens.

    They are in a session of their own, so that Ctrl-C in a terminal reaches rank 0 alone.

    Args:
        count: Number of all processes, this one included.
        port: Port of the store at which they meet.
    """

    def __init__(self, count: int, port: int) -> None:
        self.outputs: list[IO[bytes]] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        for rank in range(1, count):
            output = tempfile.TemporaryFile()  # noqa: SIM115 closed by ``end``
            self.outputs.append(output)
            self.processes.append(_start(Place(rank, rank, 0, count), port, output))

    def first_ended(self, seconds: float = 0) -> str | None:
        """Wait at most ``seconds`` for a process to end badly, and say how it did; None if all live or ended well."""
        for _ in range(max(1, round(seconds / 0.1))):
            for rank, (process, output) in enumerate(zip(self.processes, self.outputs, strict=True), start=1):
                if process.poll():
                    return f"process {rank} of the training has ended ({_how(process.returncode, output)})"
            time.sleep(min(seconds, 0.1))
        return None

    def end(self, at_once: bool) -> None:
        """Wait for the processes to end; ``at_once``: kill them."""
        for process in self.processes:
            if at_once or not _ends_within(process, GRACE):
                process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()
        for output in self.outputs:
            output.close()


@contextmanager
def other_ranks(count: int, port: int) -> Generator[OtherRanks]:
    """A context with the other processes, which have ended after it."""
    others = OtherRanks(count, port)
    try:
        yield others
    except BaseException:
        others.end(at_once=True)
        raise
    others.end(at_once=False)


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for a process to end; return whether it did."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _start(place: Place, port: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
    names = {"RANK": place.rank, "LOCAL_RANK": place.local_rank, "GROUP_RANK": place.node_rank}
    names |= {"WORLD_SIZE": place.world_size, "MASTER_PORT": port}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TORCHELASTIC_")}
    environment |= {name: str(value) for name, value in names.items()} | {"MASTER_ADDR": "127.0.0.1"}
    return subprocess.Popen(
        [sys.executable, "-m", MODULE],
        env=environment,
        stdin=subprocess.PIPE,  # its end tells the process that this one has ended
        stdout=subprocess.DEVNULL,
        stderr=output,
        start_new_session=True,
    )


def _how(code: int, output: IO[bytes]) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}, perhaps for want of memory"
    output.seek(0)
    return last_line(output.read().decode(errors="replace")) or f"code {code}"
