"""How long convexp-report takes for a folder of many runs, and how much memory.

    python scripts/bench_report.py [--runs 10000] [--seeds 100] [--repeats 3]

Makes run folders with results of the size of real ones, runs ``convexp-report`` on them in a process of its own, and prints its
time and peak memory beside the floor: a bare loop that opens and parses the same files. Then, in this process, it brings the
dashboard up to date as a sweep does while its runs finish: for the first time, after one more run, and with nothing new.

    python scripts/bench_report.py --runs 48 --seeds 3 --only dashboard
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import Figure, figure, figures, ratios, store

SHIFTS = 5  # a map of 5 x 5 shifts
LAYERS = 7


def result(model: str, lr: float, seed: int, started: int) -> dict:
    """A finished run's result: all that a real one has, about 12 KB."""
    draw = random.Random(f"{model} {lr} {seed}")
    accuracy = [[draw.random() for _ in range(SHIFTS)] for _ in range(SHIFTS)]
    layers = [
        {
            f"{what}_{part}": draw.random()
            for what in ("flops", "ms", "peak_bytes")
            for part in ("forward", "backward", "closed")
        }
        for _ in range(LAYERS)
    ]
    numbers = {f"probe/shift_map/{name}": draw.random() for name in ("centre", "mean", "worst", "drop", "control", "cut")}
    numbers |= {f"probe/consistency/{name}": draw.random() for name in ("all", "correct", "control", "accuracy", "n")}
    numbers |= {f"probe/accounting/{name}": draw.random() for name in ("flops", "forward_ms", "backward_ms", "peak_bytes")}
    return {
        "format": 1,
        "state": "finished",
        "identity": f"{draw.getrandbits(64):016x}",
        "name": f"{model}-{lr}-seed{seed}",
        "seed": seed,
        "started": f"2026-01-01T{started // 3600:02}:{started // 60 % 60:02}:{started % 60:02}+00:00",
        "config": {
            "name": f"{model}-{lr}-seed{seed}",
            "model": {"name": model, "wiring": {"_target_": f"convexp.layers.{model}"}, **{f"m{i}": i for i in range(15)}},
            "data": {"name": "digits", "source": {"_target_": "digits", "seed": 0}, **{f"d{i}": i for i in range(15)}},
            "optimizer": {"_target_": "torch.optim.Adam", "lr": lr, "weight_decay": 0.0},
            "trainer": {f"t{i}": None for i in range(9)},
            "probes": {
                name: {"_target_": name, "max_shift": 2, "n": 1000} for name in ("shift_map", "consistency", "accounting")
            },
            "seed": seed,
            "study": None,
        },
        "network": {"parameters": 10_186, "flops": 208_896, "width": 1.0, "layers": layers},
        "data": {"checksum": "4131c30294bed840", "split": "b9f667b66e3a191f", "train": 1257, "val": 180, "test": 360},
        "metrics": {"epochs": 12, "steps": 468, "val/acc": draw.random(), "test/acc": draw.random(), **numbers},
        "probes": {
            "shift_map": {"numbers": numbers, "maps": {"accuracy": accuracy, "radius": accuracy[0][:3], "correct": accuracy}},
            "accounting": {"numbers": {}, "maps": {"layers": layers}},
        },
        "versions": {"python": "3.11.7", "convexp": "0.1.0", "torch": "2.15.0", "numpy": "2.4.6"},
        "git": {"commit": "83693148853dc4b98795beb86f19476a40aec94f", "dirty": False},
        "error": None,
        "seconds": {"setup": 0.04, "fit": 2.8, "test": 0.03, "probes": 0.7, "total": 3.6},
        "hardware": {"cpu": "a CPU", "cores": 2, "threads": 2, "accelerator": "CPUAccelerator", "system": "Linux"},
        "ended": "2026-01-01T00:00:00+00:00",
    }


def fabricate(root: Path, runs: int, seeds: int) -> list[Path]:
    """Run folders in ``root``; returns their results."""
    files: list[Path] = []
    for number in range(runs):
        kind, seed = divmod(number, seeds)
        made = result(("dense", "local", "conv")[kind % 3], round(0.1 / (kind // 3 + 1), 9), seed, number)
        folder = root / f"{number // 1000}" / made["name"]
        folder.mkdir(parents=True)
        files.append(folder / "result.json")
        files[-1].write_text(json.dumps(made, indent=1))
    return files


def floor(files: list[Path]) -> tuple[float, float]:
    """Wall and CPU seconds to open and parse the files, and nothing else."""
    start, cpu = time.perf_counter(), time.process_time()
    for file in files:
        with file.open("rb") as opened:
            json.loads(opened.read())
    return time.perf_counter() - start, time.process_time() - cpu


def measured(root: Path) -> tuple[float, float, float]:
    """Wall and CPU seconds and peak memory (MiB) of convexp-report on ``root``."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "convexp.cli.report", str(root)], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, used.ru_maxrss / 1024


def add_curves(files: list[Path], epochs: int = 12) -> None:
    """Learning curves beside the results."""
    rows = [f"{39 * epoch},{1 - 0.5**epoch},{epoch},{0.5**epoch}" for epoch in range(1, epochs + 1)]
    text = "\n".join(["step,val/acc,epoch,train/loss", *rows]) + "\n"
    for file in files:
        (file.parent / "metrics.csv").write_text(text)


def refresh(root: Path) -> tuple[float, float, int]:
    """CPU seconds to read the runs and to write the means, and the number of files that were written."""
    from convexp.board.update import update_dashboard
    from convexp.reporting.report import build_report

    start = time.process_time()
    report = build_report(root)
    read = time.process_time()
    written = update_dashboard(report, root)
    return read - start, time.process_time() - read, written


def measure_dashboard(root: Path, files: list[Path]) -> list[Figure]:
    """Print what a refresh of the dashboard costs."""
    from convexp.board import update  # noqa: F401  # the imports are made once

    last = files[-1].parent
    hidden = root.parent / "hidden"
    last.rename(hidden)
    measured: list[Figure] = []
    for what in ("the first time", "after one more run", "with nothing new"):
        if what == "after one more run":
            hidden.rename(last)
        read, wrote, count = refresh(root)
        print(f"dashboard, {what}: {read:.2f} s to read, {wrote:.2f} s to write, of CPU; {count} files")
        measured += [figure(f"dashboard, {what}: reading", [read], "s"), figure(f"dashboard, {what}: writing", [wrote], "s")]
    return measured


def main() -> None:
    """Fabricate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=100, help="runs in each group")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=("report", "dashboard"))
    options = parser.parse_args()
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "runs"
        files = fabricate(folder, options.runs, options.seeds)
        add_curves(files)
        size = sum(file.stat().st_size for file in files) / len(files)
        print(f"{len(files)} runs of {size / 1024:.1f} KB in groups of {options.seeds}")
        for _ in range(options.repeats if options.only != "dashboard" else 0):
            bare, bare_cpu = floor(files)
            seconds, cpu, memory = measured(folder)
            for name, value in (("floor", bare_cpu), ("convexp-report", cpu)):
                found.setdefault(name, []).append(value)
            print(f"floor: {bare:.2f} s, {bare_cpu:.2f} s of CPU")
            print(
                f"convexp-report: {seconds:.2f} s, {cpu:.2f} s of CPU, {memory:.0f} MiB; {seconds / bare:.1f} times the floor"
            )
        dashboard = measure_dashboard(folder, files) if options.only != "report" else []
        store(
            __file__,
            [*figures(found, f"s of CPU time for {options.runs} runs"), *(ratios(found, "floor") if found else []), *dashboard],
        )


if __name__ == "__main__":
    main()
