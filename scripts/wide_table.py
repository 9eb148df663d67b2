"""The wide table of bench_layers.py: the locally connected layer against its peers and its floor, on many shapes and batches.

The floor of forward and backward is the larger of two times, both measured here: that of the FLOPs at the rate of one large
matrix product, and that of the bytes that cannot be avoided (the weights read for the output and for the input's gradient, and
the weights' gradient written), at the rate of a copy of the weights.

A second floor is an ``autograd.Function`` that does nothing: what Python and torch take for its call, its backward pass and the
tensors that they hand on. No function written in Python can be faster, however small the layer is.

The process keeps memory that is freed (glibc only): else the figures hang on which tensors the kernel has to map anew.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

import torch
from local_shapes import Shape, cases, interleaved, milliseconds
from results import Figure, figure
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.layers import by_shape, layout
from convexp.layers.algorithms import OPERATIONS
from convexp.layers.convert import LOCAL
from convexp.layers.convolution import im2col
from convexp.layers.local import LocallyConnectedNd
from convexp.machine.heap import keep_freed

BATCHES = (1, 2, 8, 32, 128)
LARGEST = 1e9
"""Multiply-adds of one forward pass above which a shape is left out: more than a second for every call."""

CONV = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


class Goal(NamedTuple):
    """That the time of ``name`` is at most ``most`` times that of ``base``, for batches from ``first`` to ``last``."""

    name: str
    base: str
    most: float
    first: int = 1
    last: int = 1 << 20

    def __str__(self) -> str:
        return f"{self.name} / {self.base}"


GOALS = (
    Goal("convexp", "unfold+einsum", 1),
    Goal("convexp, NCHW", "unfold+einsum", 1),
    Goal("convexp", "conv", 1.1, first=64),
    Goal("convexp, NCHW", "conv", 1.5, first=64),
    Goal("convexp, bfloat16", "convexp", 1),
    Goal("convexp", "floor", 1.5, last=1),
)


@dataclass
class WideRow:
    """One shape and batch: milliseconds of every rival in every round, and the algorithm of every operation."""

    shape: str
    batch: int
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)

    def ratios(self, goal: Goal) -> list[float]:
        """What the goal is about, in every round."""
        return [a / b for a, b in zip(self.milliseconds[goal.name], self.milliseconds[goal.base], strict=True)]

    def has(self, goal: Goal) -> bool:
        """Whether the goal is about this batch."""
        return goal.first <= self.batch <= goal.last


class UnfoldEinsum(nn.Module):
    """The usual locally connected layer: all windows of the batch side by side, then one einsum; with groups, in 1 to 3-D."""

    def __init__(self, layer: LocallyConnectedNd) -> None:
        super().__init__()
        assert layer.bias is not None
        self.dims, self.groups, self.size, self.padding = layer.dims, layer.groups, layer.output_size, layer.padding
        self.kernel_size, self.stride, self.dilation = layer.kernel_size, layer.stride, layer.dilation
        kernel = layer.kernel.detach().flatten(0, self.dims - 1).flatten(2)  # (L, O, C/G*k1*k2)
        by_group = kernel.unflatten(1, (self.groups, -1))  # (L, G, O/G, C/G*k1*k2)
        self.weight = nn.Parameter((by_group.squeeze(1) if self.groups == 1 else by_group).contiguous())
        self.bias = nn.Parameter(layer.bias.detach().clone())

    def windows(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C*k1*k2, L)``."""
        if self.dims == 2:
            return F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)
        border = [p for p in reversed(self.padding) for _ in range(2)]
        return im2col(F.pad(x, border), self.kernel_size, self.stride, self.dilation)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, O, H', W')``."""
        windows = self.windows(x)
        if self.groups == 1:
            h = torch.einsum("bkl,lok->bol", windows, self.weight)
        else:
            h = torch.einsum("bgkl,lgok->bgol", windows.unflatten(1, (self.groups, -1)), self.weight).flatten(1, 2)
        return h.unflatten(2, self.size) + self.bias


class Nothing(torch.autograd.Function):
    """Hands on tensors of the right shapes, with whatever is in them."""

    @staticmethod
    def forward(ctx: Any, shape: tuple[int, ...], *operands: Tensor) -> Tensor:
        """Return an empty output."""
        ctx.save_for_backward(*operands)
        return operands[0].new_empty(shape)

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Any, ...]:
        """Return empty gradients."""
        return None, *(torch.empty_like(operand) for operand in ctx.saved_tensors)


class Bare(nn.Module):
    """A layer's operands, of which nothing is computed."""

    def __init__(self, layer: LocallyConnectedNd) -> None:
        super().__init__()
        self.weight, self.bias, self.shape = layer.weight, layer.bias, (layer.out_channels, *layer.output_size)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, O, H', W')``."""
        return Nothing.apply((len(x), *self.shape), x, self.weight, self.bias)


def floor(weight: Tensor, batch: int, rate: float) -> float:
    """Milliseconds below which forward and backward cannot be; ``rate`` in FLOPs per millisecond."""
    there = torch.empty_like(weight)
    copies = milliseconds(lambda: there.copy_(weight.detach()))  # two of the three times that the weights are moved
    return max(1.5 * copies, 6 * batch * weight.numel() / rate)


def matrix_rate(dtype: torch.dtype) -> float:
    """FLOPs per millisecond of one large matrix product."""
    a = torch.randn(768, 768).to(dtype)
    return 2 * 768**3 / min(milliseconds(lambda: a @ a) for _ in range(5))


def batch_innermost(x: Tensor) -> Tensor:
    """The same image as the layer's outputs lie in memory."""
    return layout.batch_first(layout.batch_last(x).contiguous())


def measure(
    shape: Shape, batch: int, rounds: int, dtype: torch.dtype, rate: float, step: Callable[..., Callable[[], Any]]
) -> WideRow:
    """All rivals on one shape, in turn; ``step`` makes forward and backward of a module and an input."""
    torch.manual_seed(0)
    made = LOCAL[shape.dims](**shape.arguments(), input_size=shape.size, dtype=dtype)
    x = torch.randn(batch, shape.inputs, *(shape.size,) * shape.dims).to(dtype)
    conv = CONV[shape.dims - 1](**shape.arguments(), dtype=dtype)
    last = CHANNELS_LAST.get(shape.dims, torch.contiguous_format)
    steps = {
        "conv": step(conv.to(memory_format=last), x.contiguous(memory_format=last)),
        "convexp": step(made, batch_innermost(x)),
        "convexp, NCHW": step(made, x, contiguous=True),
        "unfold+einsum": step(UnfoldEinsum(made), x),
        "convexp, bfloat16": step(deepcopy(made).bfloat16(), batch_innermost(x.bfloat16())),
        "bare": step(Bare(made), x),
    }
    row = WideRow(str(shape), batch, interleaved(steps, rounds))
    row.milliseconds["floor"] = [floor(made.weight, batch, rate) for _ in range(rounds)]
    g = shape.geometry(batch)
    row.chosen = {name: by_shape.choice(name, x, x, g) for name in OPERATIONS}
    return row


BARE = Goal("bare", "floor", 1.5, last=1)
"""That a function which does nothing would reach the floor: where it does not, ``convexp / floor`` cannot."""

COLUMNS = (*GOALS[:5], Goal("convexp", "floor", 1.5), BARE, Goal("convexp", "bare", 1))


def show_head() -> None:
    """Print the head of the table."""
    print(f"| C→O, image, kernel/stride | batch | ms | {' | '.join(map(str, COLUMNS))} | algorithms |")
    print("| --- |" + " ---: |" * (2 + len(COLUMNS)) + " --- |", flush=True)


def show(row: WideRow) -> None:
    """Print one row of the table."""
    cells = [row.shape, str(row.batch), f"{median(row.milliseconds['convexp']):.2f}"]
    cells += [f"{median(row.ratios(column)):.2f}" for column in COLUMNS]
    print(f"| {' | '.join(cells)} | {', '.join(name.split('_')[0] for name in row.chosen.values())} |", flush=True)


def judge(rows: list[WideRow]) -> list[Figure]:
    """For every goal the medians of all shapes that it is about, and of every row that misses it the rounds; print them."""
    found: list[Figure] = []
    for goal in GOALS:
        about = {f"{row.shape}, batch {row.batch}": row.ratios(goal) for row in rows if row.has(goal)}
        missed = {name: each for name, each in about.items() if median(each) > goal.most}
        if about:
            named = f"{goal}, batch {goal.first}" if goal.last == goal.first else f"{goal}, batch >= {goal.first}"
            every = figure(f"{named}: all {len(about)} rows", [median(each) for each in about.values()], "x")
            print(
                f"\n{named}: at most {goal.most}; median {every.figure:.2f}, {every.min:.2f} to {every.max:.2f}, {every.n} rows"
            )
            found += [every, *(figure(f"{named}: {name}", each, "x") for name, each in missed.items())]
        for name, each in missed.items():
            print(f"  missed: {name}: {median(each):.2f} ({min(each):.2f} to {max(each):.2f})")
    about = [row for row in rows if row.has(BARE)]
    beyond = [row for row in about if median(row.ratios(BARE)) > BARE.most]
    print(f"\nout of reach with one image, as a function that does nothing takes more: {len(beyond)} of {len(about)} rows")
    for row in beyond:
        print(f"  {row.shape}: {median(row.ratios(BARE)):.2f}")
    return found


def wide(
    batches: tuple[int, ...], rounds: int, dtype: torch.dtype, step: Callable[..., Callable[[], Any]], only: str = ""
) -> tuple[list[WideRow], list[Figure]]:
    """Measure and print the table; return its rows, and what is said of the goals."""
    keep_freed()  # as programs of convexp do
    rate = matrix_rate(dtype)
    rows: list[WideRow] = []
    show_head()
    for shape, batch in cases(batches, LARGEST):
        if only in str(shape):
            rows.append(measure(shape, batch, rounds, dtype, rate, step))
            show(rows[-1])
    return rows, judge(rows)
