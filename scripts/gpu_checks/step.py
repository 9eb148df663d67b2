"""A whole training step, apart from forward and backward: what the optimizer takes, and what it takes at least.

On a GPU an eager step of these layers is bound by launches: what the optimizer adds to it is hidden behind them. So shares and
floors are taken of the step as a CUDA graph there.
"""

from collections.abc import Iterator
from typing import Any

import torch
from bench_layers import SHAPES, Shape
from torch import nn

from convexp.layers import LocallyConnected2d
from convexp.layers.layout import batch_first, batch_last
from gpu_checks.bench import Bench, Step, bytes_per_second, captured, set_type
from gpu_checks.rows import Row, failed, measured, not_applicable
from gpu_checks.speed import floor_of

LAUNCH = 5e-6
"""Seconds that launching a kernel takes, about: what its bytes take less time for, they are no floor of."""
BYTES_OF_ADAM = 7 * 4
"""For each parameter: weight, gradient and two moments are read, and all but the gradient written."""


def check(bench: Bench) -> Iterator[Row]:
    """For the local layer and the convolution of some shapes."""
    batch = bench.sized(128, 8)
    set_type("float32")
    for shape in bench.sized(SHAPES[1:4], SHAPES[:1]):
        for wiring in ("local", "conv"):
            yield from one(bench, shape, batch, wiring)


def steps_of(bench: Bench, shape: Shape, batch: int, wiring: str) -> tuple[dict[str, Step], int]:
    """Forward and backward; the optimizer; and all of it; and the number of parameters."""
    x = torch.randn(batch, shape.inputs, shape.size, shape.size, device=bench.device)
    layer: Any
    if wiring == "local":
        layer = LocallyConnected2d(**shape.arguments(), input_size=shape.size, device=bench.device)
        x = batch_first(batch_last(x).contiguous())
    else:
        layer = nn.Conv2d(**shape.arguments(), device=bench.device).to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(layer.parameters(), fused=True, capturable=bench.on_gpu)
    above = torch.randn_like(layer(x))

    def gradients() -> None:
        for parameter in layer.parameters():
            parameter.grad = None
        layer(x).backward(above)

    def whole() -> None:
        gradients()
        optimizer.step()

    gradients()
    steps: dict[str, Step] = {"gradients": gradients, "optimizer": optimizer.step, "whole": whole}
    return steps, sum(p.numel() for p in layer.parameters())


def one(bench: Bench, shape: Shape, batch: int, wiring: str) -> Iterator[Row]:
    """One layer: the whole step, the share of the optimizer, and the step over its floor."""
    name = f"{wiring} {shape}, batch {batch}"
    steps, parameters = steps_of(bench, shape, batch, wiring)
    floor = floor_of(bench, "float32", shape, batch) if wiring == "local" else 0.0
    adam = parameters * BYTES_OF_ADAM / bytes_per_second(bench)
    if not bench.on_gpu:
        yield from rows(name, bench.interleaved(steps), adam, floor)
        yield not_applicable(f"{name}: as a CUDA graph", "no GPU")
        return
    eager = [1e3 * each for each in bench.interleaved({"whole": steps["whole"]})["whole"]]
    yield measured(f"{name}: step", eager, "ms", "eager: bound by launches")
    try:
        graphs = {part: captured(step) for part, step in steps.items()}
    except Exception as error:
        yield failed(f"{name}: as a CUDA graph", f"{type(error).__name__}: {error}")
        return
    yield from rows(f"{name}, as a CUDA graph", bench.interleaved(graphs), adam, floor)


def rows(name: str, found: dict[str, list[float]], adam: float, floor: float) -> Iterator[Row]:
    """Of steps measured interleaved.

    Args:
        name: Of the layer.
        found: Seconds of the parts of a step.
        adam: Seconds that the bytes of Adam take.
        floor: Seconds that forward and backward take at least; 0 if it is not known.
    """
    yield measured(f"{name}: step", [1e3 * each for each in found["whole"]], "ms")
    shares = [(whole - part) / whole for whole, part in zip(found["whole"], found["gradients"], strict=True)]
    yield measured(f"{name}: share of Adam", shares, "of the step", f"its bytes take {1e3 * adam:.4g} ms at least")
    if adam > LAUNCH:
        yield measured(f"{name}: Adam alone over its bytes", [each / adam for each in found["optimizer"]], "x")
    if floor:
        yield measured(f"{name}: step over the floor", [each / (floor + adam) for each in found["whole"]], "x")
