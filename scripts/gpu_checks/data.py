"""Batches made where the images lie: convexp's loader and view against indexing alone."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from convexp.config.compose import compose_config
from convexp.data import Dataset, training_loader
from convexp.execution import build
from gpu_checks.bench import Bench, ratios
from gpu_checks.rows import Row, measured, true

BATCH = 128
WAYS = {
    "as they are": (),
    "shifted by up to 4": ("data.shift.train=4",),
    "random position on 40x40": ("data.canvas=40", "data.position=random"),
}


def check(bench: Bench) -> Iterator[Row]:
    """Images per second of an epoch, and its time over that of ``index_select``, for every way to see images."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "noise.npz")
        random, number = np.random.default_rng(0), bench.sized(60_000, 6_000)
        images = random.integers(0, 256, (number, 28, 28), dtype=np.uint8)
        np.savez(file, images=images, labels=np.arange(number) % 10)
        own = ("data=npz", f"data.source.file={file}", "data.image_shape=[1,28,28]", "data.classes=10")
        for name, overrides in WAYS.items():
            data = build.dataset(compose_config(*own, *overrides)).to(torch.device(bench.device))
            yield true(f"{name}: images lie on the device", data.train.images.device.type == bench.device)
            yield from one(bench, name, data)


def one(bench: Bench, name: str, data: Dataset) -> Iterator[Row]:
    """One way to see images."""
    count = len(training_loader(data.train, BATCH, data.shifts, 0))

    def epoch() -> None:
        for _ in training_loader(data.train, BATCH, data.shifts, 0):
            pass

    def bare() -> None:
        images, labels, rows = data.train.images, data.train.labels, data.train.rows
        order = rows[torch.randperm(len(rows), device=rows.device)]
        for index in order[: count * BATCH].split(BATCH):
            images.index_select(0, index)
            labels.index_select(0, index)

    found = bench.interleaved({"epoch": epoch, "bare": bare})
    yield measured(f"{name}: loader", [count * BATCH / seconds for seconds in found["epoch"]], "images/s")
    yield measured(f"{name}: loader over index_select", ratios(found, "epoch", "bare"), "x")
