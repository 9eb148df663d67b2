"""What the data path costs, on MNIST: batches of 128 by every way to shift them, and starts on a folder of images.

The floor of a batch is `images[index], labels[index]`, one gather each; batches are timed interleaved, medians over rounds,
without a network. The folder holds the 10,000 test images, or the first --files of them, as PNG files: a first start decodes
them, a second one finds the array, and a streamed epoch is read from the memory map by two processes.

    python scripts/bench_data.py        (needs MNIST: CONVEXP_DATA, or the folder data/; one minute)
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from results import Figure, figure, figures, store
from results import ratios as over

from convexp.config.compose import compose_config
from convexp.data import Dataset, Source, prepare, training_loader
from convexp.data.cache import load_mapped
from convexp.data.source import checksum
from convexp.execution import build
from convexp.execution.makers import make

SHIFTS = {
    "as they are": [],
    "canvas of 40": ["data.canvas=40"],
    "random position": ["data.canvas=40", "data.position=random"],
    "zero_fill": ["data.shift.train=4"],
    "circular": ["data.shift.train=4", "data.shift.protocol=circular"],
    "crop": ["data.shift.train=4", "data.shift.protocol=crop"],
}


def epoch(data: Dataset) -> float:
    """Return the microseconds per batch of one epoch of the loader."""
    batches = training_loader(data.train, 128, data.shifts, 0)
    start = time.perf_counter()
    for _ in batches:
        pass
    return (time.perf_counter() - start) / len(batches) * 1e6


def floor(data: Dataset) -> float:
    """Return the microseconds per batch of indexing alone."""
    images, labels = data.train.images, data.train.labels
    order = torch.randperm(len(labels)).split(128)
    start = time.perf_counter()
    for index in order:
        _ = images[index], labels[index]
    return (time.perf_counter() - start) / len(order) * 1e6


def batches(rounds: int) -> list[Figure]:
    """Print the time of a batch for every way."""
    source = make("data.source", compose_config("data=mnist").data.source, Source)
    ways: dict[str, Callable[[], float]] = {"bare indexing": lambda: floor(data)}
    for name, overrides in SHIFTS.items():
        made = prepare(compose_config("data=mnist", *overrides).data, source)
        ways[name] = lambda made=made: epoch(made)
    data = prepare(compose_config("data=mnist").data, source)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(way())
    for name, values in times.items():
        ratios = [value / bare for value, bare in zip(values, times["bare indexing"], strict=True)]
        spread = f"{min(ratios):.1f} to {max(ratios):.1f}, n = {rounds}"
        print(f"{name:16} {median(values):6.0f} us a batch, {median(ratios):.1f} ({spread}) of bare indexing")
    return [*figures(times, "us a batch"), *over(times, "bare indexing")]


def folder(rounds: int, files: int) -> list[Figure]:
    """Print the time of a first and a second start on a folder of images, and of streaming it."""
    data = build.dataset(compose_config("data=mnist"))
    images, labels = data.test.first(files)
    measured: list[Figure] = []
    with tempfile.TemporaryDirectory() as scratch:
        for i, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
            place = Path(scratch, "photos", str(label))
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[0].numpy()).save(place / f"{i}.png")
        own = ["data=image_folder", f"data.source.root={scratch}/photos", "data.classes=10", "data.image_shape=[1,28,28]"]

        def start(cache: int, *more: str) -> tuple[float, Dataset]:
            config = compose_config("data=mnist", *own, f"data.source.cache={scratch}/cache{cache}", *more).data
            begun = time.perf_counter()
            made = prepare(config, make("data.source", config.source, Source))
            return time.perf_counter() - begun, made

        for name, cached in (("first", False), ("second", True)):
            times = [start(0 if cached else number)[0] for number in range(rounds)]
            print(
                f"{name} start on {files:,} files: {median(times):.2f} s ({min(times):.2f} to {max(times):.2f}, n = {rounds})"
            )
            measured.append(figure(f"{name} start on {files:,} files", times, "s"))
        streamed = start(0, "data.memory_gb=0.0001")[1]
        times = [epoch(streamed) for _ in range(rounds)]
        print(f"streamed by 2 processes: {median(times):.0f} us a batch ({min(times):.0f} to {max(times):.0f})")
    return [*measured, figure("streamed by 2 processes", times, "us a batch")]


def checking(rounds: int) -> list[Figure]:
    """Print the time that a start takes to verify the checksum of a cached array."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "images.npy")
        np.save(file, np.random.default_rng(0).integers(0, 256, (20_000, 3, 128, 128), dtype=np.uint8))
        images, times = load_mapped(file), list[float]()
        for _ in range(rounds):
            begun = time.process_time()
            checksum(images)
            times.append((time.process_time() - begun) / images.nbytes * 1e9)
    print(f"checksum: {median(times):.2f} s of CPU time per GB ({min(times):.2f} to {max(times):.2f}, n = {rounds})")
    return [figure("checksum", times, "s of CPU time per GB")]


def main() -> None:
    """Print the times of batches, of the starts on a folder of images, and of checksums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default 7)")
    parser.add_argument("--files", type=int, default=10_000, help="images in the folder (default 10000)")
    given = parser.parse_args()
    store(__file__, [*batches(given.rounds), *folder(given.rounds, given.files), *checking(given.rounds)])


if __name__ == "__main__":
    main()
