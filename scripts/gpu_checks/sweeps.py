"""Eight seeds of a sweep in one group against each by itself: the same accuracies, and the time of their trainings."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpu_checks.bench import Bench
from gpu_checks.commands import FIXED_TILES, Command, record, run_folders
from gpu_checks.rows import Row, held, measured, true

MOST_APART = 0.02
"""Of accuracies: over whole trainings the last bits of sums grow."""
MOST = 2.0
"""Times the training of one run, for all of a group on a GPU."""
COMMON = (
    "data=digits",
    "model=local",
    "probes=none",
    "playground=false",
    "logger=csv",
    FIXED_TILES,
    "hydra.launcher.processes=1",
)


def check(bench: Bench) -> Iterator[Row]:
    """The sweep by itself and in a group."""
    seeds = bench.sized(8, 2)
    with tempfile.TemporaryDirectory() as scratch:
        alone, group = (sweep(bench, Path(scratch, str(replicas)), seeds, replicas) for replicas in (1, seeds))
    yield true(f"all {seeds} runs finished", all(run["state"] == "finished" for run in (*alone.values(), *group.values())))
    apart = max(abs(accuracy(group[name]) - accuracy(alone[name])) for name in alone)
    yield held("test accuracies, in a group against alone", apart, MOST_APART)
    ratio = sum(map(seconds, group.values())) / max(seconds(run) for run in alone.values())
    yield measured(f"training of {seeds} in a group over one", [ratio], "x", most=bench.sized(MOST, None))


def sweep(bench: Bench, folder: Path, seeds: int, replicas: int) -> dict[str, Any]:
    """The records of the runs of the sweep, done ``replicas`` at once, by their names."""
    on_gpu = ("trainer=gpu", "trainer.max_epochs=20")
    on_cpu = ("trainer=cpu", "trainer.threads=1", "trainer.max_epochs=2")
    settings = (*bench.sized(on_gpu, on_cpu), f"seed=range({seeds})", f"hydra.launcher.replicas={replicas}")
    Command(["-m", *COMMON, *settings, f"hydra.sweep.dir={folder}"], folder.with_suffix(".log")).succeed()
    return {run.name: record(run) for run in run_folders(folder)}


def accuracy(run: dict[str, Any]) -> float:
    """The test accuracy of a run."""
    return run["metrics"]["test/acc"]


def seconds(run: dict[str, Any]) -> float:
    """The seconds that a run trained; of a group, its share of them."""
    return run["seconds"]["fit"]
