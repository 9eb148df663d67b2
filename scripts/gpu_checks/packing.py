"""Runs of a sweep packed on one card: all finish, with the same accuracies as one after another."""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpu_checks.bench import Bench
from gpu_checks.commands import FIXED_TILES, Command, record, run_folders
from gpu_checks.rows import Row, held, measured, not_applicable, true

MOST_APART = 0.02  # of accuracies; on a CPU they are the same
COMMON = (
    "probes=none",
    "playground=false",
    "model=conv,local",
    FIXED_TILES,
    "+callbacks.own={_target_:own_callbacks.Environment}",
)


def check(bench: Bench) -> Iterator[Row]:
    """One and three at a time on the card; on a CPU, one and two processes."""
    several = bench.sized(3, 2)
    with tempfile.TemporaryDirectory() as scratch:
        seconds = {runs: sweep(bench, Path(scratch, str(runs)), runs) for runs in (1, several)}
        alone, packed = ({folder.name: seen(folder) for folder in run_folders(Path(scratch, str(n)))} for n in (1, several))
    yield true(
        f"all {len(packed)} runs finished", all(each["state"] == "finished" for each in (*alone.values(), *packed.values()))
    )
    apart = max(abs(packed[name]["accuracy"] - alone[name]["accuracy"]) for name in alone)
    yield held("test accuracies, packed against one after another", apart, MOST_APART)
    yield true("each run is one of the engine's", all(each["CONVEXP_ENGINE"] == "processes" for each in packed.values()))
    if bench.on_gpu:
        cards = {each["CUDA_VISIBLE_DEVICES"] for each in packed.values()}
        yield true("each sees one card", all(card and "," not in card for card in cards), f"CUDA_VISIBLE_DEVICES: {cards}")
        yield true("each trained on it", all(each["accelerator"] == "CUDAAccelerator" for each in packed.values()))
    else:
        yield not_applicable("each sees one card", "no GPU; the same runs in two processes")
    yield measured(f"{several} at a time over one at a time", [seconds[several] / seconds[1]], "x", "start-up included")


def sweep(bench: Bench, folder: Path, runs: int) -> float:
    """Seconds of the sweep with so many runs at a time."""
    on_gpu = ("trainer=gpu", "trainer.max_epochs=5", "seed=0,1,2", f"hydra.launcher.runs_per_gpu={runs}")
    on_cpu = ("trainer=cpu", "trainer.threads=1", "trainer.max_epochs=1", "seed=0", f"hydra.launcher.processes={runs}")
    begun = time.monotonic()
    Command(["-m", *COMMON, *bench.sized(on_gpu, on_cpu), f"hydra.sweep.dir={folder}"], folder.with_suffix(".log")).succeed()
    return time.monotonic() - begun


def seen(folder: Path) -> dict[str, Any]:
    """What a run recorded, and the environment that it saw."""
    found, environment = record(folder), json.loads((folder / "environment.json").read_text())
    kept = {"state": found["state"], "accuracy": found["metrics"]["test/acc"], "accelerator": found["hardware"]["accelerator"]}
    return kept | environment
