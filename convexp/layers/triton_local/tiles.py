"""The sizes that a kernel is compiled for: the geometry of the layer, and the tile that a program computes."""

import math
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from convexp.geometry import Size
from convexp.layers.call_geometry import Geometry
from convexp.layers.triton_local.runtime import jit, triton


class Shape(NamedTuple):
    """A ``Geometry`` in three dimensions, as kernels know it when they are compiled.

    ``step``: the taps that meet one pixel are every ``step``-th of a dimension; ``reach``: how many these are at most;
    ``inputs`` and ``outputs``: channels of one group, C/G and O/G.
    """

    input: Size
    output: Size
    kernel: Size
    stride: Size
    padding: Size
    dilation: Size
    step: Size
    reach: Size
    inputs: int
    outputs: int
    groups: int


@lru_cache
def shape_in_3d(g: Geometry) -> Shape:
    """Return the geometry in three dimensions, with leading sizes of 1."""

    def three(size: Size, fill: int) -> Size:
        return (*(fill for _ in range(3 - len(size))), *size)

    step = tuple(s // math.gcd(s, d) for s, d in zip(g.stride, g.dilation, strict=True))
    return Shape(
        input=three(g.input_size, 1),
        output=three(g.output_size, 1),
        kernel=three(g.kernel_size, 1),
        stride=three(g.stride, 1),
        padding=three(g.padding, 0),
        dilation=three(g.dilation, 1),
        step=three(step, 1),
        reach=three(tuple(-(-k // s) for k, s in zip(g.kernel_size, step, strict=True)), 1),
        inputs=g.group_channels,
        outputs=g.unit_channels,
        groups=g.groups,
    )


class Tile(NamedTuple):
    """The part of a matrix product that a program computes: m rows and n columns, k terms of the sum in each step of a loop."""

    m: int
    n: int
    k: int


class Run(NamedTuple):
    """A tile and how the device computes it, as the keyword arguments of a launch."""

    tile: Tile
    num_warps: int
    num_stages: int


RUNS = (  # the first is the fixed one; it fits every supported device
    Run(Tile(64, 64, 32), num_warps=4, num_stages=3),
    Run(Tile(32, 128, 32), num_warps=4, num_stages=4),
    Run(Tile(64, 128, 64), num_warps=4, num_stages=3),
    Run(Tile(128, 64, 64), num_warps=4, num_stages=3),
    Run(Tile(128, 128, 32), num_warps=8, num_stages=3),
    Run(Tile(128, 256, 64), num_warps=8, num_stages=3),
)
SMALLEST_SIDE = 16  # of a tile that tensor cores take


def runs(precision: str) -> tuple[Run, ...]:
    """Return the runs that are worth measuring at this precision of float32.

    Exact float32 has no tensor cores: its products are unrolled, and the deep tiles take up to ten seconds to compile.
    """
    return tuple(run for run in RUNS if precision != "ieee" or run.tile.k <= 32)


def fitted(run: Run, extents: Size) -> Run:
    """Cut a run down to the matrix product of sizes ``extents`` = (m, n, k)."""
    tile = Tile(*(min(side, max(SMALLEST_SIDE, triton.next_power_of_2(e))) for side, e in zip(run.tile, extents, strict=True)))
    return Run(tile, min(run.num_warps, max(1, tile.m * tile.n // 1024)), run.num_stages)


def fixed(extents: Size) -> dict[str, Any]:
    """Return the one run of deterministic algorithms, as the keyword arguments of a launch."""
    return fitted(RUNS[0], extents)._asdict()


def candidates(_: list[Any], __: dict[str, Any], **options: Any) -> list[Any]:
    """Return the configurations that Triton's autotuner measures, each once."""
    distinct = dict.fromkeys(fitted(run, options["extents"]) for run in runs(options["precision"]))
    return [triton.Config({"tile": r.tile}, num_warps=r.num_warps, num_stages=r.num_stages) for r in distinct]


class Kernel:
    """A kernel in two forms: ``plain``, which gets its tile as an argument, and ``tuned``, which finds the fastest."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.plain = jit(function)

    @cached_property
    def tuned(self) -> Any:
        """The kernel with Triton's autotuner; made on first use, as some versions of Triton look for the device here."""
        configs = [triton.Config({}), triton.Config({})]  # replaced by candidates; with a single one it would not be called
        tune = triton.autotune(configs, ["g", "extents", "precision"], prune_configs_by={"early_config_prune": candidates})
        return tune(self.plain)
