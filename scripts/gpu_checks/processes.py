"""Checks in processes of their own, which end with the program that started them, whatever ends it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from heapq import heapreplace
from pathlib import Path
from threading import Lock
from types import FrameType

from gpu_checks.rows import SECONDS, Row, failed, left_out, measured

ROOT = Path(__file__).parents[2]
SHORTEST = 5.0  # seconds that a check is begun with on a CPU
# Share of the expected time with which a check is begun on a GPU: estimates are rough, and some leave parts out themselves.
ENOUGH = 0.5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Check:
    """A module of ``gpu_checks``.

    Attributes:
        name: Its name.
        expected: Seconds that it takes on an H200, about.
        most: Seconds that it may take.
        timed: Whether it measures time, so that nothing may run beside it.
    """

    name: str
    expected: float
    most: float
    timed: bool = True


def expected_seconds(checks: Sequence[Check], workers: int) -> float:
    """Seconds that checks take on an H200, about: those that are not timed some at once, then the others one by one."""
    free = [0.0] * workers  # when each of those that work side by side has nothing to do
    for check in checks:
        if not check.timed:
            heapreplace(free, free[0] + check.expected)
    return max(free) + sum(check.expected for check in checks if check.timed)


class Processes:
    """Runs checks, each in a process of its own.

    Args:
        device: ``cuda`` or ``cpu``, where a check may take four times as long.
        scratch: Folder for the files of rows.
        until: When all has to be over, as ``time.monotonic`` counts.
    """

    def __init__(self, device: str, scratch: Path, until: float) -> None:
        self.device, self.scratch, self.until = device, scratch, until
        self.lock, self.running, self.stopped = Lock(), set[subprocess.Popen[bytes]](), False

    def run(self, checks: Sequence[Check], workers: int, add: Callable[[Check, list[Row]], None]) -> None:
        """Run checks, so many at a time; none is left running if this is interrupted.

        Args:
            checks: The checks.
            workers: How many run at a time. Also one alone is waited for in another thread: a signal interrupts the main
                thread only, so that it cannot come between the start of a process and the note that it runs.
            add: Takes the rows of each check as it ends, in the thread that calls this method.
        """
        pool = ThreadPoolExecutor(workers)
        try:
            futures = {pool.submit(self.rows, check): check for check in checks}
            waiting = set(futures)
            while waiting:  # Python hears of a signal that another thread has received when this one goes on
                done, waiting = wait(waiting, timeout=1, return_when=FIRST_COMPLETED)
                for future in done:
                    add(futures[future], future.result())
        except BaseException:
            self.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def rows(self, check: Check) -> list[Row]:
        """The rows of a check; one of the last says so if it failed, took too long or was left out."""
        on_gpu = self.device == "cuda"
        own, needed = (check.most, ENOUGH * check.expected) if on_gpu else (4 * check.most, SHORTEST)
        seconds = min(own, self.until - time.monotonic())
        if seconds < needed:
            return [
                left_out(
                    "the whole check", f"{max(seconds, 0):.0f} s were left of the time of all, and it needs {needed:.0f} s"
                )
            ]
        file, begun = self.scratch / f"{check.name}.jsonl", time.monotonic()
        code = self.ended(check, file, seconds)
        rows = [Row(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []
        if code is None and seconds < own:
            rows.append(left_out("the rest of the check", f"the time of all checks was over after {seconds:.0f} s of it"))
        elif code is None:
            rows.append(failed("the whole check", f"took more than {seconds:.0f} s and was stopped"))
        elif code:
            rows.append(failed("the whole check", f"its process ended with {code}"))
        return [*rows, measured(SECONDS, [time.monotonic() - begun], "s")]

    def ended(self, check: Check, file: Path, seconds: float) -> int | None:
        """The exit code of the process of a check; None if it was stopped, as it took longer than ``seconds``."""
        options = {"--only": check.name, "--device": self.device, "--minutes": f"{seconds / 60:.4f}", "--rows": str(file)}
        command = [sys.executable, str(ROOT / "scripts" / "gpu_check.py"), *(word for pair in options.items() for word in pair)]
        with self.lock:
            if self.stopped:
                return None
            process = subprocess.Popen(command, env=self.environment(check), start_new_session=True)
            self.running.add(process)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            kill(process)
            process.wait()
            with self.lock:
                self.running.discard(process)

    def environment(self, check: Check) -> dict[str, str]:
        """The variables that the process of a check sees."""
        paths = (str(ROOT), str(ROOT / "scripts"), os.environ.get("PYTHONPATH", ""))
        interpreted = {"TRITON_INTERPRET": "1"} if (self.device, check.name) == ("cpu", "kernels") else {}
        return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **interpreted}

    def stop(self) -> None:
        """Kill what runs, and start nothing more."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads a session, with all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def end_on_signals() -> None:
    """Let the signals that end a program raise ``SystemExit``, so that it tidies up; but those that it was told to ignore."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end)


def end(number: int, _frame: FrameType | None) -> None:
    """End the program with the exit code of a signal; tidying up is not interrupted by another one."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)
