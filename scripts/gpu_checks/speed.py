"""Speed of the locally connected layer: against the floor of this device, a convolution, and what everybody copies."""

from collections.abc import Iterator
from typing import Any

import torch
import torch._inductor.config
from bench_layers import SHAPES, Shape, UnfoldEinsum, rivals, training_step

from convexp.layers import LocallyConnected2d, cost
from gpu_checks.bench import TYPES, Bench, Step, captured, floor_seconds, ratios, set_type
from gpu_checks.rows import Row, failed, left_out, measured, not_applicable

BATCH = 128
COMPILING = 60  # seconds that are kept for the compiled peers


def jobs(bench: Bench) -> list[tuple[str, Shape]]:
    """The types and shapes that are measured: all in the two precisions that are trained with, two in TensorFloat-32."""
    if not bench.on_gpu:
        return [(kind, shape) for kind in ("float32", "bfloat16") for shape in SHAPES[:2]]
    return [(kind, shape) for shape in SHAPES for kind in ("bfloat16", "float32")] + [("tf32", shape) for shape in SHAPES[1:3]]


def check(bench: Bench) -> Iterator[Row]:
    """For every type and shape: time over the floor, over ``conv2d`` and over ``unfold+einsum``; then compiled peers."""
    batch = bench.sized(BATCH, 8)
    torch._inductor.config.autotune_num_choices_displayed = 0
    for kind, shape in jobs(bench):
        if bench.left < COMPILING:
            yield left_out(f"{shape}, {kind}", "the time of this check was over")
        else:
            yield from one(bench, kind, shape, batch)
    for kind, shape in bench.sized(
        [("bfloat16", SHAPES[1]), ("float32", SHAPES[1]), ("bfloat16", SHAPES[2])], [("float32", SHAPES[0])]
    ):
        if bench.left < COMPILING / 2:
            yield left_out(f"{shape}, {kind}: compiled", "the time of this check was over")
        else:
            yield against_compiled(bench, kind, shape, batch)


def one(bench: Bench, kind: str, shape: Shape, batch: int) -> Iterator[Row]:
    """One shape in one type."""
    steps = rivals(shape, batch, bench.device, set_type(kind))
    found = bench.interleaved(steps)
    name = f"{shape}, {kind}"
    floor = floor_of(bench, kind, shape, batch)
    milliseconds = [1e3 * seconds for seconds in found["convexp"]]
    yield measured(f"{name}: forward and backward", milliseconds, "ms", f"floor {1e3 * floor:.4g} ms")
    yield measured(f"{name}: over conv2d", ratios(found, "convexp", "conv2d"), "x")
    yield measured(f"{name}: over unfold+einsum", ratios(found, "convexp", "unfold+einsum"), "x", most=1)
    if not bench.on_gpu:
        yield not_applicable(f"{name}: as a CUDA graph", "no GPU")
        return
    # Without what Python and launching take: the device alone.
    try:
        graphs = bench.interleaved({each: captured(step) for each, step in steps.items() if each != "convexp, NCHW"})
    except Exception as error:
        yield failed(f"{name}: as a CUDA graph", f"{type(error).__name__}: {error}")
        return
    yield measured(f"{name}: as a CUDA graph, over the floor", [each / floor for each in graphs["convexp"]], "x")
    yield measured(f"{name}: as a CUDA graph, over conv2d", ratios(graphs, "convexp", "conv2d"), "x")
    yield measured(f"{name}: as a CUDA graph, over unfold+einsum", ratios(graphs, "convexp", "unfold+einsum"), "x", most=1)


def floor_of(bench: Bench, kind: str, shape: Shape, batch: int) -> float:
    """Seconds of forward and backward: all FLOPs at the rate of a matrix product, or all bytes once in each of three passes."""
    layer = LocallyConnected2d(**shape.arguments(), input_size=shape.size, device="meta", dtype=TYPES[kind])
    counted = cost(layer, batch)
    moved = 3 * (counted.parameter_bytes + counted.input_bytes + counted.output_bytes)
    return floor_seconds(bench, kind, counted.forward_flops + (counted.backward_flops or 0), moved)


def against_compiled(bench: Bench, kind: str, shape: Shape, batch: int) -> Row:
    """Against unfold+einsum compiled by torch, which tries out what is fastest."""
    what = f"{shape}, {kind}: over unfold+einsum compiled (max-autotune)"
    dtype = set_type(kind)
    layer = LocallyConnected2d(**shape.arguments(), input_size=shape.size, device=bench.device, dtype=dtype)
    x = torch.randn(batch, shape.inputs, shape.size, shape.size, device=bench.device, dtype=dtype)
    module: Any = torch.compile(UnfoldEinsum(layer), mode="max-autotune-no-cudagraphs")
    try:
        steps: dict[str, Step] = {
            "convexp": rivals(shape, batch, bench.device, dtype)["convexp"],
            "compiled": training_step(module, x),
        }
        return measured(what, ratios(bench.interleaved(steps), "convexp", "compiled"), "x", most=1)
    except Exception as error:
        return failed(what, f"{type(error).__name__}: {error}")
