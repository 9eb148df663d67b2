"""Whole trainings whose passes are launched as a CUDA graph against those whose kernels are launched one by one."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

import convexp
from gpu_checks.bench import Bench, apart
from gpu_checks.rows import Row, held, measured, not_applicable, true

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
    "trainer.deterministic=warn",  # without Triton's choice of tiles, which takes longer than all the rest
    "probes=none",
    "playground=false",
    "logger=csv",
)
TOLERANCE = 1e-3  # of the length of all weights, after some hundred steps in single precision; equal bits are 0
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
            yield from one(name, (*COMMON, *device, *overrides), Path(scratch, str(number)))


def one(name: str, overrides: tuple[str, ...], folder: Path) -> Iterator[Row]:
    """One network."""
    rates: dict[str, float] = {}
    convexp.train(*overrides, "trainer.max_epochs=1", folder=folder / "first", progress=False)  # compiles kernels
    for graph in ("true", "false"):
        record = convexp.train(*overrides, f"trainer.cuda_graph={graph}", folder=folder / graph, progress=False).record
        assert record is not None
        assert record.seconds.fit is not None
        rates[graph] = record.metrics["steps"] / record.seconds.fit
    yield true(f"{name}: is captured", NOT_CAPTURED not in (folder / "true" / "train.log").read_text())
    yield held(f"{name}: weights, as a graph against one by one", apart(*(weights(folder / g) for g in rates)), TOLERANCE)
    for graph, rate in rates.items():
        yield measured(
            f"{name}: {'as a graph' if graph == 'true' else 'one by one'}",
            [rate],
            "steps/s",
            "validation and checkpoints included",
        )


def weights(folder: Path) -> list[Tensor]:
    """What the last checkpoint holds, in double precision."""
    state = torch.load(folder / "checkpoints" / "last.ckpt", map_location="cpu", weights_only=True)["state_dict"]
    return [value.double() for value in state.values()]
