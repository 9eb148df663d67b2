"""Eight seeds as `convexp-train -m` does them: groups of runs in one process apart from each run by itself.

    python scripts/bench_sweeps.py --rounds 5 --data digits --wirings dense local conv     (mnist: CONVEXP_DATA, or data/)

Two processes side by side, with hydra.launcher.replicas=1 and with --replicas in turn in every round, from Enter to the report.
Printed are the seconds of replicas=1, and the ratios, taken round by round, of:

    cpu      CPU time of all processes, imports and report included
    wall     the time of the whole command
    fit      training and validation as the records of the runs note them (wall time; of a group, each run its share)
    start    CPU time of the same sweep with one epoch: imports, composing, set-up, test and report
    epochs   CPU time of the further epochs: cpu less start

What is the same however runs are trained is in start; what groups are about is in epochs.
"""

import argparse
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from results import Figure, store

EPOCHS = {"digits": 20, "mnist": 2}  # training that is long enough to be seen beside the imports
SHORT = {"digits": [], "mnist": ["trainer.limit_train_batches=40", "data.val_size=1000", "trainer.limit_val_batches=2"]}
SWEEP = ["-m", "trainer=cpu", "trainer.threads=1", "seed=range(8)", "playground=false", "probes=accounting", "logger=csv"]
MEASURES = ("cpu", "wall", "fit", "start", "epochs")
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of Linux: processes whose parent has ended become children of this one


def sweep(data: str, wiring: str, replicas: str) -> dict[str, float]:
    """Do the runs of a sweep, and those of one with a single epoch, and take what is measured of them."""
    start = _sweep(data, wiring, replicas, 1)["cpu"]
    whole = _sweep(data, wiring, replicas, EPOCHS[data])
    return {**whole, "start": start, "epochs": whole["cpu"] - start}


def _sweep(data: str, wiring: str, replicas: str, epochs: int) -> dict[str, float]:
    """Do the runs of a sweep: CPU and wall seconds of all its processes, and the seconds that its runs note as training."""
    with tempfile.TemporaryDirectory() as folder:
        settings = [
            f"data={data}",
            f"model={wiring}",
            *SHORT[data],
            f"trainer.max_epochs={epochs}",
            f"hydra.sweep.dir={folder}/sweep",
        ]
        command = [sys.executable, "-m", "convexp.train", *SWEEP, *settings, "hydra.launcher.processes=2"]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run([*command, f"hydra.launcher.replicas={replicas}"], check=False, capture_output=True, text=True)
        wall = time.perf_counter() - start
        with suppress(ChildProcessError):
            while True:
                os.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise SystemExit(done.stderr)
        records = [json.loads(file.read_bytes()) for file in Path(folder).glob("sweep/*/result.json")]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": cpu, "wall": wall, "fit": sum(record["seconds"]["fit"] for record in records)}


def compare(data: str, wiring: str, replicas: str, rounds: int) -> dict[str, Any]:
    """Do the sweep both ways in turn; the ratios of groups to runs by themselves, of each measure the median and the range."""
    pairs = [(sweep(data, wiring, "1"), sweep(data, wiring, replicas)) for _ in range(rounds)]
    found: dict[str, Any] = {"data": data, "model": wiring, "n": rounds}
    for measure in MEASURES:
        ratios = [together[measure] / apart[measure] for apart, together in pairs]
        apart = median(apart[measure] for apart, _ in pairs)
        found[measure] = {"apart": apart, "ratio": median(ratios), "range": [min(ratios), max(ratios)]}
    return found


def show(row: dict[str, Any]) -> None:
    """Print what was measured of a sweep."""
    parts = [
        f"{name} {row[name]['apart']:.1f} s, groups / apart {row[name]['ratio']:.2f} "
        f"({row[name]['range'][0]:.2f} to {row[name]['range'][1]:.2f})"
        for name in MEASURES
    ]
    print(f"{row['data']:7} {row['model']:15} 8 seeds, n = {row['n']}: {'; '.join(parts)}", flush=True)


def main() -> None:
    """Print the ratios and write them to bench_sweeps.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--data", nargs="*", choices=SHORT, default=[*SHORT], help="data sets (default digits mnist)")
    parser.add_argument("--wirings", nargs="*", default=["dense", "local", "conv"], help="choices of `model`")
    parser.add_argument("--replicas", default="auto", help="hydra.launcher.replicas of the groups (default auto)")
    parser.add_argument("--out", type=Path, default=Path("outputs"), help="folder for the JSON file (default outputs)")
    arguments = parser.parse_args()
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    found: list[dict[str, Any]] = []
    for data in arguments.data:
        for wiring in arguments.wirings:
            found.append(compare(data, wiring, arguments.replicas, arguments.rounds))
            show(found[-1])
    measures = [(row, name, row[name]) for row in found for name in MEASURES]
    said = [
        Figure(f"{r['data']} {r['model']}, {name}: groups / apart", m["ratio"], "x", r["n"], *m["range"])
        for r, name, m in measures
    ]
    store(__file__, said)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "bench_sweeps.json").write_text(json.dumps({"cores": os.cpu_count(), "sweeps": found}, indent=1))


if __name__ == "__main__":
    main()
