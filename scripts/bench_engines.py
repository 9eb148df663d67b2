"""Does convexp's own pool of processes earn its lines? Against joblib's (loky) and that of the standard library.

    python scripts/bench_engines.py [--rounds 5] [--steps 100]

Each round, in changing order and in fresh processes: four jobs on two processes by each pool. A job imports what a training
run imports, and trains a tiny network with one thread. The standard library's ``ProcessPoolExecutor`` has a fork server that
has made the imports before, as has convexp's pool. Wall time to the first job and from one job to the next in a process; CPU
time and peak memory (proportional set size) of all processes together; medians and ranges, and ratios within each round.

Then what happens when things go wrong, once for each pool: a process is killed by its job; the first process is killed; Ctrl-C.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

from results import figure, store

IMPORTS = os.environ.get("BENCH_IMPORTS", "convexp.execution.training_run")
WHILE = float(os.environ.get("BENCH_WHILE", "20"))  # seconds that a job lasts which is interrupted or loses its parent
Result = tuple[int, int, float, float]  # of a job: its number, its process, when it began (after the imports) and ended
JOBS, PROCESSES = 4, 2


def train(steps: int, number: int) -> Result:
    """The job of a measurement."""
    import importlib

    importlib.import_module(IMPORTS)
    import torch

    start = time.time()
    torch.set_num_threads(1)
    torch.manual_seed(number)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8 * 676, 10))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(network(torch.randn(64, 1, 28, 28)), torch.randint(10, (64,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return number, os.getpid(), start, time.time()


def die_of_one(number: int) -> Result:
    """A job that kills its process if it is number 1, while others are at work or wait."""
    time.sleep(0.5)
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(1)
    return number, os.getpid(), 0, 0


def last(number: int) -> Result:
    """A job that lasts until it is interrupted, or for a while."""
    Path(f"begun-{number}").touch()
    try:
        time.sleep(WHILE)
    except KeyboardInterrupt:
        Path(f"interrupted-{number}").touch()
        raise
    return number, os.getpid(), 0, 0


def with_convexp(work: Callable[[int], Result]) -> Iterator[tuple[int, Result | None]]:
    """Results of the jobs by convexp's own pool; the number of a job whose process was killed comes with None."""
    from convexp.engines.local.pool import run_parallel

    for done in run_parallel(work, [partial(int, n) for n in range(JOBS)], [{}] * PROCESSES, IMPORTS):
        yield done.number, done.value


def with_joblib(work: Callable[[int], Result]) -> Iterator[tuple[int, Result | None]]:
    """The same by joblib."""
    from joblib import Parallel, delayed

    settings = {"return_as": "generator_unordered", "batch_size": 1, "pre_dispatch": "n_jobs"}
    for value in Parallel(PROCESSES, **settings)(delayed(work)(n) for n in range(JOBS)):
        yield value[0], value


def with_executor(work: Callable[[int], Result]) -> Iterator[tuple[int, Result | None]]:
    """The same by ``concurrent.futures``."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([IMPORTS])
    with ProcessPoolExecutor(PROCESSES, context) as pool:
        futures = {pool.submit(work, n): n for n in range(JOBS)}
        for future in as_completed(futures):
            yield futures[future], future.result()


POOLS = {"convexp": with_convexp, "joblib": with_joblib, "executor": with_executor}
CALL = (
    "import sys, json, bench_engines as b; from functools import partial; name, job, steps = sys.argv[1:]\n"
    "work = partial(b.train, int(steps)) if job == 'train' else getattr(b, job)\n"
    "for n, value in b.POOLS[name](work): print(json.dumps([n, value]), flush=True)"
)


class Watch:
    """A pool in processes of its own: their results, CPU time and memory."""

    def __init__(self, name: str, job: str, steps: int, folder: Path) -> None:
        self.out, self.err = folder / "out", folder / "err"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path[1:]])}
        self.start = time.time()
        with self.out.open("w") as out, self.err.open("w") as err:
            command = [sys.executable, "-c", CALL, name, job, str(steps)]
            self.process = subprocess.Popen(
                command, cwd=folder, stdout=out, stderr=err, start_new_session=True, env=environment
            )
        self.ticks: dict[int, int] = {}
        self.peak = 0

    def processes(self) -> list[int]:
        """The numbers of the processes of its session that have not ended, and note their CPU time."""
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid and fields[0] != "Z":
                    found.append(int(folder.name))
                    self.ticks[found[-1]] = int(fields[11]) + int(fields[12])
        return found

    def to_the_end(self) -> None:
        """Sample CPU time and memory until the first process has ended."""
        while self.process.poll() is None:
            self.peak = max(self.peak, sum(map(memory, self.processes())))
            time.sleep(0.1)

    def results(self) -> list[tuple[int, list[float]]]:
        """The results of the jobs so far."""
        return [tuple(json.loads(line)) for line in self.out.read_text().splitlines()]

    def kill(self) -> None:
        """Kill what is left."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def memory(pid: int) -> int:
    """The proportional set size of a process in KiB: what it shares with others is divided among them."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def measure(name: str, steps: int) -> dict[str, float]:
    """One round of a pool."""
    with tempfile.TemporaryDirectory() as folder:
        watch = Watch(name, "train", steps, Path(folder))
        watch.to_the_end()
        assert watch.process.returncode == 0, watch.err.read_text()
        jobs = sorted((value[1], value[2], value[3]) for _, value in watch.results())
    gaps = [b[1] - a[2] for a, b in zip(jobs, jobs[1:], strict=False) if a[0] == b[0]]
    return {
        "first job after (s)": min(start for _, start, _ in jobs) - watch.start,
        "second process after (s)": sorted(min(start for p, start, _ in jobs if p == pid) for pid in {j[0] for j in jobs})[-1]
        - watch.start,
        "next job after (s)": median(gaps) if gaps else 0.0,
        "all (s)": time.time() - watch.start,
        "CPU (s)": sum(watch.ticks.values()) / os.sysconf("SC_CLK_TCK"),
        "peak memory (MiB)": watch.peak / 1024,
    }


def killed(name: str, folder: Path) -> str:
    """What is left when a process is killed by job 1."""
    watch = Watch(name, "die_of_one", 0, folder)
    watch.to_the_end()
    kept = [number for number, value in watch.results() if value]
    named = [number for number, value in watch.results() if not value]
    watch.kill()
    return f"jobs that were done: {sorted(kept)} of 0 to {JOBS - 1}; the killed one is named: {named or 'no'}"


def orphaned(name: str, folder: Path) -> str:
    """What is left a second after the first process was killed."""
    watch = _begun(name, folder)
    watch.process.send_signal(signal.SIGKILL)
    watch.process.wait()
    time.sleep(1)
    left, told = watch.processes(), len(list(folder.glob("interrupted-*")))
    watch.kill()
    return f"processes left after 1 s: {len(left)}; jobs interrupted: {told} of {PROCESSES}"


def interrupted(name: str, folder: Path) -> str:
    """What Ctrl-C on a terminal does: it reaches all processes."""
    watch = _begun(name, folder)
    start = time.time()
    os.killpg(watch.process.pid, signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        watch.process.wait(60)
    seconds, told = time.time() - start, len(list(folder.glob("interrupted-*")))
    watch.kill()
    tracebacks = watch.err.read_text().count("Traceback (most recent call last)")
    return f"ends after {seconds:.1f} s; jobs interrupted: {told} of {PROCESSES}; tracebacks: {tracebacks}"


def _begun(name: str, folder: Path) -> Watch:
    watch = Watch(name, "last", 0, folder)
    while len(list(folder.glob("begun-*"))) < PROCESSES:
        assert watch.process.poll() is None, watch.err.read_text()
        time.sleep(0.05)
    return watch


def main() -> None:
    """Print what each pool took and did."""
    parser = argparse.ArgumentParser(description="Compare pools of processes.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--pools", nargs="+", choices=list(POOLS), default=list(POOLS))
    arguments = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {name: [] for name in arguments.pools}
    for round_ in range(arguments.rounds):
        for name in random.Random(round_).sample(arguments.pools, len(arguments.pools)):
            found[name].append(measure(name, arguments.steps))
    print(f"{JOBS} jobs, {PROCESSES} processes, n = {arguments.rounds}: median (range), ratio to convexp's pool")
    for name, rounds in found.items():
        for quantity in rounds[0]:
            values = [row[quantity] for row in rounds]
            text = f"{name:9} {quantity:25} {median(values):8.3f} ({min(values):.3f} to {max(values):.3f})"
            if name != "convexp":
                ratios = [a[quantity] / max(b[quantity], 1e-9) for a, b in zip(rounds, found["convexp"], strict=True)]
                text += f"  x {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            print(text)
    measured = [
        figure(f"{name}, {quantity}", [row[quantity] for row in rounds], quantity.rpartition("(")[2].rstrip(")"))
        for name, rounds in found.items()
        for quantity in rounds[0]
    ]
    store(__file__, measured)
    for what in (killed, orphaned, interrupted):
        for name in arguments.pools:
            with tempfile.TemporaryDirectory() as folder:
                print(f"{what.__name__:11} {name:9} {what(name, Path(folder))}", flush=True)


if __name__ == "__main__":
    main()
