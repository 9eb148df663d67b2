"""Training steps of R networks at once apart from those of the same networks one after another.

    steps    K training steps of R members: forward, backward, optimizer (`convexp.replicas`), without Lightning and data loading

    sweeps   8 seeds as `convexp-train -m` does them: two processes side by side, each run by itself (hydra.launcher.replicas=1),
             apart from groups (replicas=auto). From Enter to the report; CPU time of all processes, and wall time

Of steps the CPU time of this process with one thread; both sides are measured in turn in every round, and the ratio is taken round by round.
`expected` is what `convexp.replicas.worthwhile` says, from counts alone.

    python scripts/bench_replicas.py --steps-only --rounds 5        (needs MNIST: CONVEXP_DATA, or the folder data/)
    python scripts/bench_replicas.py --sweeps-only --rounds 5 --data digits --wirings dense local conv
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

import torch
from torch import Tensor

from convexp.config.compose import compose_config
from convexp.data import Dataset
from convexp.execution import build
from convexp.models import layer_costs, network_cost
from convexp.replicas import Member, Replicas, worthwhile

WIRINGS = ("dense", "local", "low_rank_local", "global_conv", "conv", "mlp")
STEPS = 8  # of one call


def members(overrides: list[str], replicas: int) -> tuple[Dataset, list[Member]]:
    """Networks that differ in their seed, and their data set."""
    config = compose_config("trainer=cpu", "scheduler=none", *overrides)
    data = build.dataset(config)
    made: list[Member] = []
    for seed in range(replicas):
        torch.manual_seed(seed)
        network = build.network(config, data)
        make_optimizer, make_scheduler = build.optimization(config, network)
        task: Any = build.task(config, network, make_optimizer, make_scheduler)
        made.append(Member(task, make_optimizer(network.parameters())))
    return data, made


def batches(data: Dataset, replicas: int, size: int) -> list[list[tuple[Tensor, Tensor]]]:
    """For each member as many batches as a call has steps, drawn with replacement."""
    images, labels = data.train.first(len(data.train))
    rows = [[torch.randint(len(labels), (size,)) for _ in range(STEPS)] for _ in range(replicas)]
    return [[(images[some], labels[some]) for some in own] for own in rows]


def seconds(work: Any, repeats: int) -> float:
    """CPU seconds of one of ``repeats`` calls."""
    start = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - start) / repeats


def compare(overrides: list[str], size: int, replicas: int, rounds: int) -> dict[str, Any]:
    """Measure both sides in turn."""
    data, apart = members(overrides, replicas)
    _, together = members(overrides, replicas)
    given = batches(data, replicas, size)
    group = Replicas()

    def one_by_one() -> None:
        for member, own in zip(apart, given, strict=True):
            member.steps_alone(own)

    def at_once() -> None:
        group.steps(together, given)

    for work in (one_by_one, at_once):
        work()
    repeats = max(1, round(0.25 / seconds(one_by_one, 1)))
    pairs = [(seconds(one_by_one, repeats), seconds(at_once, repeats)) for _ in range(rounds)]
    cost = network_cost(layer_costs(apart[0].network, tuple(given[0][0][0].shape[1:])))
    ratios = [stacked / alone for alone, stacked in pairs]
    return {
        "replicas": replicas,
        "batch": size,
        "alone_ms": median(alone for alone, _ in pairs) / STEPS / replicas * 1e3,
        "ratio": median(ratios),
        "range": [min(ratios), max(ratios)],
        "n": rounds,
        "expected": worthwhile(replicas, size, cost.parameters, cost.flops),
        "parameters": cost.parameters,
        "flops": cost.flops,
    }


SHORT = {  # training that is long enough to be seen beside the imports
    "digits": ["trainer.max_epochs=20"],
    "mnist": ["trainer.max_epochs=2", "trainer.limit_train_batches=40", "data.val_size=1000", "trainer.limit_val_batches=2"],
}
SWEEP = ["-m", "trainer=cpu", "trainer.threads=1", "seed=range(8)", "playground=false", "probes=accounting", "logger=csv"]
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of Linux: processes whose parent has ended become children of this one


def sweep(data: str, wiring: str, replicas: str) -> dict[str, float]:
    """Do the runs of a sweep: CPU and wall seconds of all its processes, and the seconds that its runs note as training."""
    with tempfile.TemporaryDirectory() as folder:
        settings = [f"data={data}", f"model={wiring}", *SHORT[data], f"hydra.sweep.dir={folder}/sweep"]
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


def compare_sweeps(data: str, wiring: str, rounds: int) -> dict[str, Any]:
    """Do the sweep both ways in turn; the ratios of groups to runs by themselves, of each measure the median and the range."""
    pairs = [(sweep(data, wiring, "1"), sweep(data, wiring, "auto")) for _ in range(rounds)]
    found: dict[str, Any] = {"data": data, "model": wiring, "n": rounds}
    for measure in ("cpu", "wall", "fit"):
        ratios = [together[measure] / apart[measure] for apart, together in pairs]
        apart = median(apart[measure] for apart, _ in pairs)
        found[measure] = {"apart": apart, "ratio": median(ratios), "range": [min(ratios), max(ratios)]}
    return found


def print_sweep(row: dict[str, Any]) -> None:
    """Print what was measured of a sweep."""
    parts = [
        f"{name} {row[name]['apart']:.1f} s, groups / apart {row[name]['ratio']:.2f} "
        f"({row[name]['range'][0]:.2f} to {row[name]['range'][1]:.2f})"
        for name in ("cpu", "wall", "fit")
    ]
    print(f"{row['data']:7} {row['model']:15} 8 seeds, n = {row['n']}: {'; '.join(parts)}", flush=True)


def main() -> None:
    """Print the ratios and write them to bench_replicas.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps-only", action="store_true", help="measure steps only, no sweeps")
    parser.add_argument("--sweeps-only", action="store_true", help="measure sweeps only, no steps")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--data", nargs="*", default=["digits", "mnist"], help="data sets (default digits mnist)")
    parser.add_argument("--wirings", nargs="*", default=list(WIRINGS), help="choices of `model` (default all)")
    parser.add_argument("--batches", nargs="*", type=int, default=[32, 128], help="batch sizes (default 32 128)")
    parser.add_argument("--replicas", nargs="*", type=int, default=[2, 4, 8], help="numbers of networks (default 2 4 8)")
    parser.add_argument("--out", type=Path, default=Path("outputs"), help="folder for the JSON file (default outputs)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found: list[dict[str, Any]] = []
    for data in () if arguments.sweeps_only else arguments.data:
        for wiring in arguments.wirings:
            for size in arguments.batches:
                for replicas in arguments.replicas:
                    row = compare([f"data={data}", f"model={wiring}"], size, replicas, arguments.rounds)
                    found.append({"data": data, "model": wiring, **row})
                    low, high = row["range"]
                    print(
                        f"{data:7} {wiring:15} batch {size:4} R={replicas}: one step alone {row['alone_ms']:7.2f} ms, at once / "
                        f"alone {row['ratio']:.2f} ({low:.2f} to {high:.2f}, n = {row['n']}), expected {row['expected']}",
                        flush=True,
                    )
    sweeps: list[dict[str, Any]] = []
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    for data in () if arguments.steps_only else arguments.data:
        for wiring in arguments.wirings:
            sweeps.append(compare_sweeps(data, wiring, arguments.rounds))
            print_sweep(sweeps[-1])
    arguments.out.mkdir(parents=True, exist_ok=True)
    result = {"torch": torch.__version__, "cores": os.cpu_count(), "steps": found, "sweeps": sweeps}
    (arguments.out / "bench_replicas.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
