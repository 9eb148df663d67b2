"""How long the demo's study takes: fifteen runs of three_layers, and the same command again when they are finished.

    python scripts/bench_study.py [--rounds 3]

Each round, in a fresh folder and with fresh processes: (1) the study, (2) the same command again, (3) the floor: a process that
imports the same packages, composes one configuration and trains the same networks in bare loops over tensors, with the same
steps, validations and checkpoints as state dicts, without Lightning, logging, probes, pictures or a report. Medians and ranges.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from results import figure, figures, store

FLOOR = """
import pytorch_lightning, torch, torchvision
from torch.nn.functional import cross_entropy
from convexp.execution import build
from convexp.config.compose import compose_config
from convexp.data import loader, training_loader

READ = {"dense": [("flatten", 2)], "local": [("flatten", 2), ("global_max", 1)], "conv": [("flatten", 2), ("global_max", 1)]}
for model, readout, stride in [(model, *read) for model, each in READ.items() for read in each]:
    for seed in (0, 1, 2):
        settings = [f"model={model}", f"model.readout={readout}", f"model.stride={stride}", f"seed={seed}"]
        config = compose_config(*settings, "trainer.max_epochs=12")
        torch.manual_seed(seed)
        data = build.dataset(config)
        network = build.network(config, data)
        make_optimizer, make_scheduler = build.optimization(config, network)
        optimizer = make_optimizer(network.parameters())
        batches = training_loader(data.train, config.data.batch_size, data.shifts, seed)
        scheduler = make_scheduler(optimizer, total_steps=12 * len(batches))
        for epoch in range(12):
            network.train()
            for images, labels in training_loader(data.train, config.data.batch_size, data.shifts, seed, (epoch, 0)):
                loss = cross_entropy(network(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                scheduler.step()
            network.eval()
            with torch.no_grad():
                for images, labels in loader(data.val, config.data.eval_batch_size):
                    network(images)
            torch.save(network.state_dict(), "best.ckpt")
"""


def seconds(command: list[str], folder: Path) -> float:
    """How long a process takes, from start to end."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "GOMP_SPINCOUNT": "3000"})
    return time.perf_counter() - start


def main() -> None:
    """Print what each part took."""
    parser = argparse.ArgumentParser(description="Time the three_layers study.")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    study = [sys.executable, "-m", "convexp.cli.train", "study=three_layers"]
    times: dict[str, list[float]] = {"study": [], "again": [], "floor": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for name, command in (("study", study), ("again", study), ("floor", [sys.executable, "-c", FLOOR])):
                times[name].append(seconds(command, Path(folder)))
    for name, goal in (("study", "at most 60 s"), ("again", "under 4 s"), ("floor", "")):
        found = times[name]
        print(f"{name:6} {median(found):5.1f} s ({min(found):.1f} to {max(found):.1f}), n = {rounds}  {goal}")
    ratios = [a / b for a, b in zip(times["study"], times["floor"], strict=True)]
    store(__file__, [*figures(times, "s"), figure("study / floor", ratios, "x")])
    print(f"study / floor {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
