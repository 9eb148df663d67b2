"""What it saves that subnormal numbers count as zero in a training on a CPU (`convexp.execution.torch_setup.prepare_torch`).

    python scripts/bench_subnormals.py --rounds 3 --epochs 20 60 --data digits       (mnist: CONVEXP_DATA, or data/)

An optimizer's averages of gradients that have become zero decay into subnormal numbers after about as many steps as make
beta^steps 1e-38, 830 for Adam's 0.9, and a CPU takes many times as long for them. Each round trains each network twice, in
fresh processes with one thread, flushed (as convexp does it) and with torch's default. Printed are the share of subnormal
numbers among the averages at the end of the latter, the seconds of its training, validation included, by the clock, and the
ratios of these seconds, taken round by round.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median

import torch
from results import Figure, figure, store

KEPT = "import torch; torch.set_flush_denormal = lambda mode: False; from convexp.train import main; main()"
PROGRAMS = {"flushed": ["-m", "convexp.train"], "kept": ["-c", KEPT]}
COMMON = ("trainer=cpu", "trainer.threads=1", "probes=none", "playground=false", "logger=csv")


@dataclass(frozen=True)
class Run:
    """What a run has taken: seconds of its training, and the share of subnormal averages at its end."""

    seconds: float
    share: float


def train(program: str, data: str, wiring: str, epochs: int) -> Run:
    """Train a network in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        settings = [f"data={data}", f"model={wiring}", f"trainer.max_epochs={epochs}", f"hydra.run.dir={folder}"]
        command = [sys.executable, *PROGRAMS[program], *COMMON, *settings]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        seconds = json.loads(Path(folder, "result.json").read_bytes())["seconds"]["fit"]
        return Run(seconds, _share(Path(folder, "checkpoints", "last.ckpt")))


def _share(checkpoint: Path) -> float:
    states = torch.load(checkpoint, weights_only=True, map_location="cpu")["optimizer_states"][0]["state"].values()
    averages = torch.cat([state["exp_avg"].flatten() for state in states])
    return ((averages != 0) & (averages.abs() < torch.finfo(torch.float32).tiny)).float().mean().item()


def main() -> None:
    """Print a line for each network, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default 3)")
    parser.add_argument("--data", nargs="*", choices=["digits", "mnist"], default=["digits"], help="data sets (default digits)")
    parser.add_argument("--wirings", nargs="*", default=["dense", "local", "conv"], help="choices of `model`")
    parser.add_argument("--epochs", nargs="*", type=int, default=[20, 60], help="lengths of the training (default 20 60)")
    given = parser.parse_args()
    measured: list[Figure] = []
    for data, wiring, epochs in product(given.data, given.wirings, given.epochs):
        rounds = [{name: train(name, data, wiring, epochs) for name in PROGRAMS} for _ in range(given.rounds)]
        ratios = [each["flushed"].seconds / each["kept"].seconds for each in rounds]
        found = figure(f"{data} {wiring}, {epochs} epochs: flushed / kept", ratios, "x")
        share, seconds = (median(getattr(each["kept"], name) for each in rounds) for name in ("share", "seconds"))
        kept = f"{share:4.0%} subnormal, {seconds:.1f} s"
        print(
            f"{found.name:40} {found.figure:.2f} ({found.min:.2f} to {found.max:.2f}), n = {found.n}; kept: {kept}", flush=True
        )
        measured.append(found)
    store(__file__, measured)


if __name__ == "__main__":
    main()
