"""The locally connected layer as three Triton kernels: ``rows`` without the copies.

Same functions, results and layouts as ``rows``. A program makes one tile of one unit's matrix product, with the third side
of the product in its loop. Nothing is unfolded or padded: every operand is gathered from where it lies (runs of the batch in
images, runs of taps in weights), what lies outside the image is masked. The input gradient gathers too, for every pixel all
(tap, output) pairs that reach it, so that no two programs write to the same place and results do not depend on their order.

One and two dimensions are three with leading sizes of 1. Products are summed in float32. The tile is the fastest of a few,
measured on the first call of each shape; with ``torch.use_deterministic_algorithms`` it is a fixed one, as the tile decides
the order of the sums and so the last bits.

Triton takes a while to import: import this module only where its kernels may run.
"""

import importlib
import math
import os
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.layers import batched_gemm
from convexp.layers.batched_gemm import Geometry

triton: Any
tl: Any
try:
    triton, tl = importlib.import_module("triton"), importlib.import_module("triton.language")
except ImportError:  # no builds for macOS and Windows
    triton, tl = None, None

FIRST = (3, 4)  # version of Triton; those before know no fields of a constant
AVAILABLE: bool = triton is not None and tuple(int(part) for part in triton.__version__.split(".")[:2]) >= FIRST
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"  # kernels run in Python, on the CPU: for tests

if TYPE_CHECKING:
    tensor = Any
    constexpr = Any
else:  # the compiler reads annotations and knows only its own
    tensor, constexpr = (tl.tensor, tl.constexpr) if AVAILABLE else (object, object)

DTYPES = (torch.float32, torch.float16, torch.bfloat16)
OLDEST = (8, 0)  # compute capability; bfloat16 and asynchronous copies begin there


class Shape(NamedTuple):
    """A ``Geometry`` in three dimensions, as kernels know it when they are compiled."""

    input: Size
    output: Size
    kernel: Size
    stride: Size
    padding: Size
    dilation: Size
    step: Size  # of the taps that meet one pixel, every step-th of a dimension
    reach: Size  # how many these are at most
    inputs: int  # C/G
    outputs: int  # O/G
    groups: int


class Tile(NamedTuple):
    """Rows and columns of one program's result, and how much of the sum one step of its loop takes."""

    m: int
    n: int
    k: int


class Run(NamedTuple):
    """A tile and how the device makes it: the keyword arguments of a launch."""

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
LEAST = 16  # side of the smallest tile that tensor cores take


def _runs(precision: str) -> tuple[Run, ...]:
    """Exact float32 has no tensor cores: its products are unrolled, and the deep tiles take up to ten seconds to compile."""
    return tuple(run for run in RUNS if precision != "ieee" or run.tile.k <= 32)


def _fitted(run: Run, extents: Size) -> Run:
    """Cut down to the product (m, n, k)."""
    tile = Tile(*(min(side, max(LEAST, triton.next_power_of_2(e))) for side, e in zip(run.tile, extents, strict=True)))
    return Run(tile, min(run.num_warps, max(1, tile.m * tile.n // 1024)), run.num_stages)


def _candidates(_: list[Any], __: dict[str, Any], **options: Any) -> list[Any]:
    """What is worth measuring, each once."""
    runs = dict.fromkeys(_fitted(run, options["extents"]) for run in _runs(options["precision"]))
    return [triton.Config({"tile": r.tile}, num_warps=r.num_warps, num_stages=r.num_stages) for r in runs]


def _jit(function: Callable[..., Any]) -> Any:
    return triton.jit(function) if AVAILABLE else function


class Kernel:
    """A kernel that is told its tile, ``plain``, and one that finds it, ``tuned``."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.plain = _jit(function)

    @cached_property
    def tuned(self) -> Any:
        """Made on first use, as some versions of Triton look for the device here."""
        configs = [triton.Config({}), triton.Config({})]  # replaced by _candidates; of a single one none would be looked for
        tune = triton.autotune(configs, ["g", "extents", "precision"], prune_configs_by={"early_config_prune": _candidates})
        return tune(self.plain)


# Below, ``g`` is a Shape; x is (D, H, W, C, B), y (D', H', W', O, B) and weight (D', H', W', O, k3, k1, k2, C/G), dense.
# Fields of a constant lose this quality in Triton before 3.7 and get it back where a name is annotated as constexpr.
# Places are counted in 32 bits, elements in 64.


@_jit
def _program(rows: tensor, columns: tensor, groups: tensor) -> Any:
    """(place, group, row tile, column tile) of this program. Those that share operands follow each other: the cache helps."""
    i = tl.program_id(0)
    return i // (columns * rows * groups), i // (columns * rows) % groups, i // columns % rows, i % columns


@_jit
def _place(index: tensor, height: constexpr, width: constexpr) -> Any:
    """(depth, row, column) of the index-th place of an image."""
    return index // (height * width), index // width % height, index % width


@_jit
def _seen(unit: tensor, group: tensor, k: tensor, g: constexpr) -> Any:
    """Which input the k-th taps of a unit see, as an index into (D, H, W, C), and whether there is one."""
    tap, channel = k // g.inputs, group * g.inputs + k % g.inputs
    a, b, c = tap // g.kernel[1] % g.kernel[0], tap % g.kernel[1], tap // (g.kernel[0] * g.kernel[1])
    z, y, x = _place(unit, g.output[1], g.output[2])
    z = z * g.stride[0] - g.padding[0] + a * g.dilation[0]
    y = y * g.stride[1] - g.padding[1] + b * g.dilation[1]
    x = x * g.stride[2] - g.padding[2] + c * g.dilation[2]
    inside = (z >= 0) & (z < g.input[0]) & (y >= 0) & (y < g.input[1]) & (x >= 0) & (x < g.input[2]) & (c < g.kernel[2])
    pixel = (z * g.input[1] + y) * g.input[2] + x
    return pixel.to(tl.int64) * (g.groups * g.inputs) + channel, inside


@_jit
def _first_tap(position: tensor, g: constexpr, axis: constexpr) -> Any:
    """The first tap that meets a position of the padded input: ``position = s * unit + d * tap``; none: beyond the last."""
    beyond: constexpr = g.kernel[axis]
    phases: constexpr = g.step[axis]
    first = beyond
    for tap in tl.static_range(phases):
        first = tl.where((position - g.dilation[axis] * tap) % g.stride[axis] == 0, tap, first)
    return first


@_jit
def _seer(position: tensor, tap: tensor, g: constexpr, axis: constexpr) -> Any:
    """Which unit sees a position of the padded input with this tap, and whether there is one."""
    start = position - g.dilation[axis] * tap
    unit = start // g.stride[axis]
    return unit, (tap < g.kernel[axis]) & (start >= 0) & (unit < g.output[axis])


@_jit
def _add_product(total: tensor, left: tensor, right: tensor, precision: constexpr) -> Any:
    """``total + left @ right``."""
    if precision == "widened":
        return tl.dot(left.to(tl.float32), right.to(tl.float32), total, input_precision="ieee")
    else:  # noqa: RET505  a branch of the compiler
        return tl.dot(left, right, total, input_precision=precision)


@Kernel
def _forward(
    x: tensor, weight: tensor, bias: tensor, y: tensor, batch: tensor, bias_steps: constexpr,
    g: constexpr, precision: constexpr, extents: constexpr, tile: constexpr,  # noqa: ARG001  extents: tiles are chosen by it
) -> None:  # fmt: skip
    """A tile (outputs, batch) of one unit: its kernels (outputs, taps) times what it sees (taps, batch)."""
    rows: constexpr = tile.m
    columns: constexpr = tile.n
    step: constexpr = tile.k
    taps: constexpr = g.kernel[0] * g.kernel[1] * g.kernel[2] * g.inputs
    unit, group, i, j = _program(tl.cdiv(g.outputs, rows), tl.cdiv(batch, columns), g.groups)
    o = i * rows + tl.arange(0, rows)
    b = j * columns + tl.arange(0, columns)
    out = (unit.to(tl.int64) * g.groups + group) * g.outputs + o
    real_o, real_b = (o < g.outputs)[:, None], (b < batch)[None, :]
    total = tl.zeros((rows, columns), tl.float32)
    for start in range(0, taps, step):
        k = start + tl.arange(0, step)
        seen, inside = _seen(unit, group, k, g)
        w = tl.load(weight + out[:, None] * taps + k[None, :], real_o & (k < taps)[None, :], 0.0)
        v = tl.load(x + seen[:, None] * batch + b[None, :], inside[:, None] & real_b, 0.0)
        total = _add_product(total, w, v, precision)
    if bias is not None:
        z, r, c = _place(unit, g.output[1], g.output[2])
        at = (group * g.outputs + o) * bias_steps[0] + z * bias_steps[1] + r * bias_steps[2] + c * bias_steps[3]
        total += tl.load(bias + at, o < g.outputs, 0.0).to(tl.float32)[:, None]
    tl.store(y + out[:, None] * batch + b[None, :], total.to(y.dtype.element_ty), real_o & real_b)


@Kernel
def _weight_gradient(
    grad: tensor, x: tensor, made: tensor, batch: tensor,
    g: constexpr, precision: constexpr, extents: constexpr, tile: constexpr,  # noqa: ARG001  extents: tiles are chosen by it
) -> None:  # fmt: skip
    """A tile (outputs, taps) of one unit: its gradients (outputs, batch) times what it sees (batch, taps)."""
    rows: constexpr = tile.m
    columns: constexpr = tile.n
    step: constexpr = tile.k
    taps: constexpr = g.kernel[0] * g.kernel[1] * g.kernel[2] * g.inputs
    unit, group, i, j = _program(tl.cdiv(g.outputs, rows), tl.cdiv(taps, columns), g.groups)
    o = i * rows + tl.arange(0, rows)
    k = j * columns + tl.arange(0, columns)
    out = (unit.to(tl.int64) * g.groups + group) * g.outputs + o
    seen, inside = _seen(unit, group, k, g)
    total = tl.zeros((rows, columns), tl.float32)
    for start in range(0, batch, step):
        b = start + tl.arange(0, step)
        u = tl.load(grad + out[:, None] * batch + b[None, :], (o < g.outputs)[:, None] & (b < batch)[None, :], 0.0)
        v = tl.load(x + seen[:, None] * batch + b[None, :], inside[:, None] & (b < batch)[None, :], 0.0)
        total = _add_product(total, u, tl.trans(v), precision)
    at = made + out[:, None] * taps + k[None, :]
    tl.store(at, total.to(made.dtype.element_ty), (o < g.outputs)[:, None] & (k < taps)[None, :])


@Kernel
def _input_gradient(
    grad: tensor, weight: tensor, found: tensor, batch: tensor,
    g: constexpr, precision: constexpr, extents: constexpr, tile: constexpr,  # noqa: ARG001  extents: tiles are chosen by it
) -> None:  # fmt: skip
    """A tile (inputs, batch) of one pixel: the kernels that see it (inputs, pairs) times their gradients (pairs, batch)."""
    rows: constexpr = tile.m
    columns: constexpr = tile.n
    step: constexpr = tile.k
    taps: constexpr = g.kernel[0] * g.kernel[1] * g.kernel[2] * g.inputs
    pairs: constexpr = g.reach[0] * g.reach[1] * g.reach[2] * g.outputs
    pixel, group, i, j = _program(tl.cdiv(g.inputs, rows), tl.cdiv(batch, columns), g.groups)
    c = i * rows + tl.arange(0, rows)
    b = j * columns + tl.arange(0, columns)
    z, y, x = _place(pixel, g.input[1], g.input[2])
    z, y, x = z + g.padding[0], y + g.padding[1], x + g.padding[2]
    first_z, first_y, first_x = _first_tap(z, g, 0), _first_tap(y, g, 1), _first_tap(x, g, 2)
    total = tl.zeros((rows, columns), tl.float32)
    for start in range(0, pairs, step):
        pair = start + tl.arange(0, step)
        tap_z, tap_y, tap_x = _place(pair // g.outputs, g.reach[1], g.reach[2])
        tap_z, tap_y, tap_x = first_z + tap_z * g.step[0], first_y + tap_y * g.step[1], first_x + tap_x * g.step[2]
        unit_z, valid_z = _seer(z, tap_z, g, 0)
        unit_y, valid_y = _seer(y, tap_y, g, 1)
        unit_x, valid_x = _seer(x, tap_x, g, 2)
        valid = valid_z & valid_y & valid_x
        unit = (unit_z * g.output[1] + unit_y) * g.output[2] + unit_x
        out = (unit.to(tl.int64) * g.groups + group) * g.outputs + pair % g.outputs
        tap = (tap_x * g.kernel[0] + tap_z) * g.kernel[1] + tap_y
        at = weight + (out * taps + tap * g.inputs)[:, None] + c[None, :]
        w = tl.load(at, valid[:, None] & (c < g.inputs)[None, :], 0.0)
        u = tl.load(grad + out[:, None] * batch + b[None, :], valid[:, None] & (b < batch)[None, :], 0.0)
        total = _add_product(total, tl.trans(w), u, precision)
    at = found + ((pixel.to(tl.int64) * g.groups + group) * g.inputs + c)[:, None] * batch + b[None, :]
    tl.store(at, total.to(found.dtype.element_ty), (c < g.inputs)[:, None] & (b < batch)[None, :])


@lru_cache
def _shape(g: Geometry) -> Shape:
    """In three dimensions."""

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


def _precision(dtype: torch.dtype) -> str:
    """Whether torch may round float32 operands of matrix products to TensorFloat-32."""
    if INTERPRETED:
        return "widened"  # it can't multiply bfloat16
    if dtype != torch.float32:
        return "tf32"  # says nothing about 16 bits
    matmul = torch.backends.cuda.matmul
    rounded = matmul.fp32_precision == "tf32" if hasattr(matmul, "fp32_precision") else matmul.allow_tf32
    return "tf32" if rounded else "ieee"


def _launch(kernel: Kernel, tensors: tuple[Any, ...], shape: Shape, places: int, extents: Size, **options: Any) -> None:
    """Makes at every place, for every group, a product of (m, k) and (k, n), ``extents`` = (m, n, k)."""
    m, n, _ = extents
    near: Size = tuple(triton.next_power_of_2(max(1, e)) for e in extents)  # not every batch size is measured anew

    def programs(meta: dict[str, Tile]) -> tuple[int]:
        return (places * shape.groups * -(-m // meta["tile"].m) * -(-n // meta["tile"].n),)

    # Triton warns where fusing multiply and add is left to a default that will change.
    options |= {"g": shape, "extents": near, "precision": _precision(tensors[0].dtype), "enable_fp_fusion": True}
    with torch.cuda.device_of(tensors[0]):
        if INTERPRETED or torch.are_deterministic_algorithms_enabled():
            kernel.plain[programs](*tensors, **options, **_fitted(RUNS[0], near)._asdict())
        else:
            kernel.tuned[programs](*tensors, **options)


@lru_cache
def _modern(device: torch.device) -> bool:
    return torch.version.hip is None and torch.cuda.get_device_capability(device) >= OLDEST


def supports(x: Tensor, other: Tensor) -> bool:
    """Whether the kernels take these two operands; where not, ``rows`` does."""
    return (
        AVAILABLE
        and x.dtype == other.dtype
        and x.dtype in DTYPES
        and x.device == other.device
        and 3 <= x.dim() <= 5
        and (_modern(x.device) if x.is_cuda else INTERPRETED and x.device.type == "cpu")
    )


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """As ``batched_gemm.forward``: (B, O, H', W') that lies in memory as (H', W', O, B)."""
    out = batched_gemm.new_image(x, (g.batch, g.out_channels, *g.output_size))
    steps = (0, 0, 0, 0)
    if bias is not None:
        strides = bias.expand(g.out_channels, *g.output_size).stride()
        steps = (strides[0], *(0 for _ in range(4 - len(strides))), *strides[1:])
    if out.numel():
        tensors = (batched_gemm.batch_last(x).contiguous(), batched_gemm.stored(weight, len(g.input_size)), bias, out, g.batch)
        extents = (g.unit_channels, g.batch, g.taps)
        _launch(_forward, tensors, _shape(g), math.prod(g.output_size), extents, bias_steps=steps)
    return out


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """As ``batched_gemm.weight_gradient``: (H', W', O, C/G, k1, k2), stored as weights are."""
    made = batched_gemm.new_weight(x, g.weight_shape)
    tensors = (batched_gemm.batch_last(grad).contiguous(), batched_gemm.batch_last(x).contiguous(), made, g.batch)
    _launch(_weight_gradient, tensors, _shape(g), math.prod(g.output_size), (g.unit_channels, g.taps, g.batch))
    return made


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """As ``batched_gemm.input_gradient``: (B, C, H, W) that lies in memory as (H, W, C, B)."""
    found = batched_gemm.new_image(grad, (g.batch, g.in_channels, *g.input_size))
    if found.numel():
        shape = _shape(g)
        tensors = (batched_gemm.batch_last(grad).contiguous(), batched_gemm.stored(weight, len(g.input_size)), found, g.batch)
        extents = (shape.inputs, g.batch, math.prod(shape.reach) * shape.outputs)
        _launch(_input_gradient, tensors, shape, math.prod(g.input_size), extents)
    return found
