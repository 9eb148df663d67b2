"""Compares ``triton_local`` with ``batched_gemm`` in float64, as a program: Triton decides when imported how kernels run.

``TRITON_INTERPRET=1 python triton_cases.py cpu`` or ``python triton_cases.py cuda``; prints {case: {what: error / tolerance}},
where what lies otherwise in memory than it should counts as infinitely wrong.
"""

import json
import math
import sys
from typing import Any, NamedTuple

import torch
from torch import Tensor

from convexp.layers import batched_gemm, layout, triton_local
from convexp.layers.call_geometry import Geometry
from convexp.layers.triton_local import tiles
from convexp.layers.triton_local.runtime import triton


class Case(NamedTuple):
    input_size: tuple[int, ...]
    kernel_size: tuple[int, ...]
    batch: int = 20
    channels: tuple[int, int] = (3, 5)  # of one group
    groups: int = 1
    stride: tuple[int, ...] = (1, 1, 1)
    padding: tuple[int, ...] = (0, 0, 0)
    dilation: tuple[int, ...] = (1, 1, 1)
    bias: str = "none"
    dtype: str = "float32"
    tf32: bool = False
    moved: bool = False  # operands lie in memory batch first, weights in the order of the literature


CASES = {  # small: the interpreter takes tens of milliseconds for every program
    "line": Case((5,), (3,)),
    "line, all at once": Case((7,), (3,), groups=2, stride=(2,), padding=(2,), dilation=(2,), bias="location"),
    "plane": Case((3, 4), (3, 2)),
    "plane, one image": Case((3, 3), (2, 3), batch=1, bias="location"),
    "plane, stride": Case((5, 5), (3, 2), stride=(2, 3), bias="channel"),
    "plane, padding": Case((2, 3), (3, 3), padding=(1, 2), bias="location"),
    "plane, dilation": Case((4, 4), (2, 2), dilation=(3, 2)),
    "plane, groups": Case((3, 2), (2, 2), groups=3, bias="channel"),
    "plane, all at once": Case((4, 5), (3, 2), groups=2, stride=(2, 3), padding=(2, 1), dilation=(2, 2), bias="location"),
    "stride and dilation share a factor": Case((5, 6), (3, 2), stride=(2, 4), padding=(2, 3), dilation=(4, 6)),
    "stride beyond the kernel": Case((4, 5), (2, 1), stride=(3, 4)),
    "more padding than kernel": Case((2, 1), (2, 2), padding=(3, 2)),
    "pointwise": Case((3, 2), (1, 1)),
    "dense": Case((3, 2), (3, 2)),
    "tiles, many channels": Case((2, 2), (2, 1), channels=(70, 67), batch=5, bias="channel"),
    "tiles, many images": Case((2, 2), (2, 2), batch=131, bias="location"),
    "tiles, whole": Case((2, 3), (2, 2), channels=(16, 16), batch=64),
    "depthwise": Case((3, 2), (2, 2), channels=(1, 1), groups=3, padding=(1, 0)),
    "moved": Case((3, 3), (3, 2), padding=(1, 0), bias="location", moved=True),
    "volume": Case((2, 3, 2), (2, 2, 1), bias="location"),
    "volume, all at once": Case(
        (3, 4, 2), (2, 3, 2), 4, groups=2, stride=(2, 1, 2), padding=(1, 1, 2), dilation=(3, 2, 2), bias="channel"
    ),
    **{
        f"{name}, {dtype}": case._replace(dtype=dtype)
        for dtype in ("bfloat16", "float16")
        for name, case in {
            "line": Case((5,), (3,), stride=(2,), padding=(1,), bias="channel"),
            "plane": Case((3, 3), (3, 2), batch=17, padding=(1, 1), bias="location"),
            "tiles": Case((2, 2), (2, 1), channels=(33, 40), batch=70),
            "volume": Case((2, 3, 1), (2, 3, 1), stride=(1, 2, 1), bias="location"),
        }.items()
    },
}

WHOLE = Case((2, 3), (2, 2), channels=(70, 140), batch=270, bias="location")  # larger than every tile

# Of the largest value: what rounding the result to the type may cost; the interpreter cuts bfloat16 off. With tf32 it is the
# operands that are rounded: tensor cores read the first 10 bits of a fraction and cut off the rest, which takes up to 2^-10 of
# each (rounding to the nearest would take 2^-11), and up to 2^-9 of the product of two.
TOLERANCE = {"float32": 2e-6, "bfloat16": 8e-3, "float16": 7e-4, "tf32": 2**-9}


def geometry(case: Case) -> Geometry:
    dims = len(case.input_size)
    sizes = zip(case.input_size, case.kernel_size, case.stride, case.padding, case.dilation, strict=False)
    return Geometry(
        batch=case.batch,
        in_channels=case.channels[0] * case.groups,
        out_channels=case.channels[1] * case.groups,
        input_size=case.input_size,
        output_size=tuple((i + 2 * p - d * (k - 1) - 1) // s + 1 for i, k, s, p, d in sizes),
        kernel_size=case.kernel_size,
        stride=case.stride[:dims],
        padding=case.padding[:dims],
        dilation=case.dilation[:dims],
        groups=case.groups,
    )


def operands(case: Case, g: Geometry, device: str) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
    """x, weight, bias, grad; stored as the layer stores them unless moved."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).to(device, getattr(torch, case.dtype))

    x, grad = normal(*g.input_size, g.in_channels, g.batch), normal(*g.output_size, g.out_channels, g.batch)
    x, grad = layout.batch_first(x), layout.batch_first(grad)
    values = normal(*g.output_size, g.out_channels, g.in_channels // g.groups, *g.kernel_size)
    weight = values if case.moved else layout.new_weight(x, values.shape).copy_(values)
    if case.moved:
        x, grad = x.contiguous(), grad.contiguous()
    bias = {
        "none": None,
        "channel": normal(g.out_channels, *(1 for _ in g.output_size)),
        "location": normal(g.out_channels, *g.output_size),
    }[case.bias]
    return x, weight, bias, grad


def results(module: Any, x: Tensor, weight: Tensor, bias: Tensor | None, grad: Tensor, g: Geometry) -> dict[str, Tensor]:
    return {
        "forward": module.forward(x, weight, bias, g),
        "input_gradient": module.input_gradient(grad, weight, g),
        "weight_gradient": module.weight_gradient(grad, x, g),
    }


def wrong(found: Tensor, expected: Tensor, case: Case) -> float:
    """Error in tolerances."""
    if (found.shape, found.stride(), str(found.dtype)) != (expected.shape, expected.stride(), f"torch.{case.dtype}"):
        return math.inf
    error = (found.cpu().double() - expected).abs().max() / expected.abs().max().clamp_min(1)
    return error.nan_to_num(math.inf).item() / TOLERANCE["tf32" if case.tf32 else case.dtype]


def compare(case: Case, device: str) -> dict[str, float]:
    torch.set_float32_matmul_precision("high" if case.tf32 else "highest")
    g = geometry(case)
    x, weight, bias, grad = operands(case, g, device)
    assert triton_local.supports(x, weight)
    found = results(triton_local, x, weight, bias, grad, g)
    exact = results(batched_gemm, *(t if t is None else t.cpu().double() for t in (x, weight, bias, grad)), g)
    return {name: wrong(found[name], exact[name], case) for name in exact}


def in_every_type(case: Case) -> dict[str, Case]:
    """The case in all types that the kernels take."""
    types = {
        "float32": ("float32", False),
        "tf32": ("float32", True),
        "bfloat16": ("bfloat16", False),
        "float16": ("float16", False),
    }
    return {name: case._replace(dtype=dtype, tf32=tf32) for name, (dtype, tf32) in types.items()}


def every_tile() -> list[tuple[Case, Any]]:
    """``WHOLE`` in every type with every tile that is chosen from, and with none given: with the one that is found fastest."""
    found: list[tuple[Case, Any]] = []
    for name, case in in_every_type(WHOLE).items():
        found += [(case, run) for run in (tiles.runs("ieee") if name == "float32" else tiles.RUNS)] + [(case, None)]
    return found


def compare_with_tile(case: Case, run: Any, device: str) -> dict[str, float]:
    """As ``compare``, with a tile, or with the one found fastest; nothing if the device has not the memory for it."""
    every = tiles.RUNS
    tiles.RUNS = every if run is None else (run,)
    torch.use_deterministic_algorithms(run is not None)
    try:
        return compare(case, device)
    except triton.runtime.errors.OutOfResources:
        return {}
    finally:
        tiles.RUNS = every
        torch.use_deterministic_algorithms(True)


def main(device: str) -> None:
    torch.use_deterministic_algorithms(True)  # one tile: compiling all of them takes minutes
    found = {name: compare(case, device) for name, case in CASES.items()}
    if device == "cuda":
        tried = {f"{run or 'fastest'}, {case.dtype}, {case.tf32=}": (case, run) for case, run in every_tile()}
        measured = {name: compare_with_tile(case, run, device) for name, (case, run) in tried.items()}
        found |= {name: errors for name, errors in measured.items() if errors}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
