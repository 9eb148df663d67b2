"""Whole trainings whose passes are launched as a CUDA graph against those whose kernels are launched one by one."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

import convexp
from gpu_checks.bench import Bench, apart
from gpu_checks.commands import FIXED_TILES
from gpu_checks.rows import Row, held, left_out, measured, not_applicable, true

RUNS = {
    "conv": ("model=conv",),
    "local": ("model=local",),
    "dense": ("model=dense",),
    "local, bf16-mixed": ("model=local", "trainer.precision=bf16-mixed"),
    "conv, batch norm, SGD, clipped": (
        "model=conv",
        "model.norm=batch",
        "optimizer=sgd",
        "optimizer.fused=false",
        "trainer.gradient_clip_val=1",
    ),
    "conv, moving average": ("model=conv", "ema=0.9"),
    "vision transformer with dropout": ("model=vit_tiny", "model.network.layers=2", "model.network.dropout=0.1"),
}
COMMON = (
    "data=digits",
    FIXED_TILES,
    "probes=none",
    "playground=false",
    "logger=csv",
)
TOLERANCE = 1e-3  # of the length of all weights, after some hundred steps in single precision; equal bits are 0
SHORTEST = 30  # seconds that a network is begun with
NOT_CAPTURED = "steps are not captured"


def check(bench: Bench) -> Iterator[Row]:
    """For each network: weights after the training, and steps per second with and without."""
    device = bench.sized(
        ("trainer=gpu", "trainer.precision=32-true", "trainer.max_epochs=10"), ("trainer=cpu", "trainer.max_epochs=1")
    )
    with tempfile.TemporaryDirectory() as scratch:
        for number, (name, overrides) in enumerate(RUNS.items()):
            if not bench.on_gpu and "norm" not in name:
                yield not_applicable(name, "no GPU; one training was tried")
                continue
            if bench.left < SHORTEST:
                yield left_out(name, "the time of this check was over")
                continue
            yield from one(name, (*COMMON, *device, *overrides), Path(scratch, str(number)), bench.sized(3, 1))


def one(name: str, overrides: tuple[str, ...], folder: Path, rounds: int) -> Iterator[Row]:
    """One network, trained in both ways by turns; the same seed in all rounds."""
    convexp.train(*overrides, "trainer.max_epochs=1", folder=folder / "first", progress=False)  # compiles kernels
    rates: dict[str, list[float]] = {"true": [], "false": []}
    for number in range(rounds):
        for graph, found in rates.items():
            found.append(steps_per_second((*overrides, f"trainer.cuda_graph={graph}"), folder / f"{graph}{number}"))
    graphs, others = ([folder / f"{graph}{number}" for number in range(rounds)] for graph in rates)
    yield true(f"{name}: is captured", not any(NOT_CAPTURED in (each / "train.log").read_text() for each in graphs))
    differences = [apart(weights(one), weights(other)) for one, other in zip(graphs, others, strict=True)]
    yield held(f"{name}: weights, as a graph against one by one", max(differences), TOLERANCE)
    for graph, found in rates.items():
        what = "as a graph" if graph == "true" else "one by one"
        yield measured(f"{name}: {what}", found, "steps/s", "validation and checkpoints included")


def steps_per_second(overrides: tuple[str, ...], folder: Path) -> float:
    """Of a training with its validation and checkpoints."""
    record = convexp.train(*overrides, folder=folder, progress=False).record
    assert record is not None
    assert record.seconds.fit is not None
    return record.metrics["steps"] / record.seconds.fit


def weights(folder: Path) -> list[Tensor]:
    """What the last checkpoint holds, in double precision."""
    state = torch.load(folder / "checkpoints" / "last.ckpt", map_location="cpu", weights_only=True)["state_dict"]
    return [value.double() for value in state.values()]
