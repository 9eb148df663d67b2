"""What augmentation adds to a training step: the CPU time of steps of 128 images with each augmentation, and without.

A step makes a batch, runs the network forwards and backwards and applies Adam, on one thread. The ways are measured in turn in
every round; printed are medians over rounds, and the ratio to the step without augmentation in the same round.

    python scripts/bench_augment.py                        (needs CIFAR-10: CONVEXP_DATA, or the folder data/; one minute)
    python scripts/bench_augment.py model=resnet18 --steps 3    (any settings of convexp-train)
"""

import argparse
import itertools
import time
from collections.abc import Callable
from statistics import median

import torch
from results import figures, ratios, store
from torch.nn import functional as F

from convexp.config import Config
from convexp.config.compose import compose_config
from convexp.data import training_loader
from convexp.execution import build

WAYS = {
    "none": "none",
    "flip": "flip",
    "crop": "crop",
    "cutout": "cutout",
    "mixup": "mixup",
    "rotate": "rotate",
    "rand_augment": "rand_augment",
    "flip, crop, cutout": "[flip,crop,cutout]",
}


def trained(config: Config, steps: int) -> Callable[[], float]:
    """Return what makes that many training steps and returns the milliseconds of CPU time of one."""
    data = build.dataset(config)
    network, augmenter = build.network(config, data), build.augmenter(config, data)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    epochs = itertools.count()

    def measure() -> float:
        batches = training_loader(data.train, config.data.batch_size, data.shifts, 0, (next(epochs), 0), augmenter)
        start = time.process_time()
        for images, labels in itertools.islice(batches, steps):
            optimizer.zero_grad()
            F.cross_entropy(network(images), labels).backward()
            optimizer.step()
        return (time.process_time() - start) / steps * 1e3

    return measure


def main() -> None:
    """Print the time of a step by augmentation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", nargs="*", help="settings of convexp-train")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default 7)")
    parser.add_argument("--steps", type=int, default=50, help="steps in a round (default 50)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = ["data=cifar10", "data.batch_size=128", *arguments.settings]
    ways = {name: trained(compose_config(*settings, f"augment={way}"), arguments.steps) for name, way in WAYS.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(arguments.rounds + 1):  # the first one warms up
        for name, way in ways.items():
            measured = way()
            if round_:
                times[name].append(measured)
    for name, values in times.items():
        shares = [value / without for value, without in zip(values, times["none"], strict=True)]
        spread = f"{min(shares):.2f} to {max(shares):.2f}, n = {arguments.rounds}"
        print(f"{name:18} {median(values):7.2f} ms a step, {median(shares):.2f} ({spread}) of a step without")
    store(__file__, [*figures(times, "ms of CPU time a step"), *ratios(times, "none")])


if __name__ == "__main__":
    main()
