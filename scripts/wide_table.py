"""The wide table of bench_layers.py: the locally connected layer against its peers and its floor, on many shapes and batches.

The floor of forward and backward is the larger of two times, both measured here: that of the FLOPs at the rate of one large
matrix product, and that of the bytes that cannot be avoided (the weights read for the output and for the input's gradient, and
the weights' gradient written into memory that is new), as copies of tensors of this size take it.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

import torch
from local_shapes import Local, cases, interleaved, milliseconds, operation_times
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.layers import layout
from convexp.layers.algorithms import OPERATIONS, fastest
from convexp.layers.convert import LOCAL
from convexp.layers.convolution import im2col

CONV = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


@dataclass
class WideRow:
    """One shape and batch: milliseconds of every rival in every round, and of every algorithm by operation."""

    shape: str
    batch: int
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    algorithms: dict[str, dict[str, float]] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)

    def ratio(self, name: str, base: str) -> float:
        """Median over the rounds of the time of ``name`` over that of ``base``."""
        return median(a / b for a, b in zip(self.milliseconds[name], self.milliseconds[base], strict=True))

    def regret(self) -> float:
        """Time of the chosen algorithms over that of the fastest ones."""
        chosen = sum(self.algorithms[operation].get(algorithm, math.inf) for operation, algorithm in self.chosen.items())
        return chosen / sum(min(times.values()) for times in self.algorithms.values())


class WideUnfoldEinsum(nn.Module):
    """The usual locally connected layer: all windows of the batch side by side, then one einsum; with groups, in 1 to 3-D."""

    def __init__(self, local: Local, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.local, self.size = local, bias.shape[1:]
        by_group = weight.detach().flatten(0, local.dims - 1).flatten(2).unflatten(1, (local.groups, -1))  # (L, G, O/G, K)
        self.weight = nn.Parameter((by_group.squeeze(1) if local.groups == 1 else by_group).contiguous())
        self.bias = nn.Parameter(bias.detach().clone())

    def windows(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C*k*k, L)``."""
        local, padding = self.local, self.local.kernel // 2 * self.local.dilation
        if local.dims == 2:
            return F.unfold(x, local.kernel, local.dilation, padding, local.stride)
        each = [(value,) * local.dims for value in (local.kernel, local.stride, local.dilation)]
        return im2col(F.pad(x, [padding] * 2 * local.dims), *each)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, O, H', W')``."""
        windows = self.windows(x)
        if self.local.groups == 1:
            h = torch.einsum("bkl,lok->bol", windows, self.weight)
        else:
            h = torch.einsum("bgkl,lgok->bgol", windows.unflatten(1, (self.local.groups, -1)), self.weight).flatten(1, 2)
        return h.unflatten(2, self.size) + self.bias


def floor(weight: Tensor, batch: int, rate: float) -> float:
    """Milliseconds below which forward and backward cannot be; ``rate`` in FLOPs per millisecond."""
    flat, there = weight.detach().flatten(), torch.empty(weight.numel(), dtype=weight.dtype)
    moved = milliseconds(flat.clone) + milliseconds(lambda: there.copy_(flat)) / 2
    return max(moved, 6 * batch * weight.numel() / rate)


def matrix_rate(dtype: torch.dtype) -> float:
    """FLOPs per millisecond of one large matrix product."""
    a = torch.randn(768, 768).to(dtype)
    return 2 * 768**3 / min(milliseconds(lambda: a @ a) for _ in range(5))


def measure(
    local: Local, batch: int, rounds: int, dtype: torch.dtype, rate: float, step: Callable[..., Callable[[], Any]]
) -> WideRow:
    """All rivals on one shape, in turn; ``step`` makes forward and backward of a module and an input."""
    torch.manual_seed(0)
    made = LOCAL[local.dims](**local.settings(), input_size=local.size, dtype=dtype)
    x = torch.randn(batch, local.inputs, *(local.size,) * local.dims).to(dtype)
    conv = CONV[local.dims - 1](**local.settings(), dtype=dtype)
    last = CHANNELS_LAST.get(local.dims, torch.contiguous_format)
    usual = WideUnfoldEinsum(local, made.kernel, made.bias)
    steps = {
        "conv": step(conv.to(memory_format=last), x.contiguous(memory_format=last)),
        "convexp": step(made, layout.batch_first(layout.batch_last(x).contiguous())),
        "convexp, NCHW": step(made, x, contiguous=True),
        "unfold+einsum": step(usual, x),
    }
    row = WideRow(str(local), batch, interleaved(steps, rounds))
    row.milliseconds["floor"] = [floor(made.weight, batch, rate) for _ in range(rounds)]
    row.algorithms = operation_times(local, batch, dtype, rounds)
    row.chosen = {name: fastest(name, local.geometry(batch)) for name in OPERATIONS}
    return row


RATIOS = [
    ("convexp", "conv"),
    ("convexp, NCHW", "conv"),
    ("convexp", "unfold+einsum"),
    ("convexp, NCHW", "unfold+einsum"),
    ("convexp", "floor"),
]


def show_head() -> None:
    """Print the head of the table."""
    print(
        "| C→O, image, kernel/stride | batch | ms | " + " | ".join(f"{a} / {b}" for a, b in RATIOS) + " | algorithms | regret |"
    )
    print("| --- |" + " ---: |" * (2 + len(RATIOS)) + " --- | ---: |", flush=True)


def show(row: WideRow) -> None:
    """Print one row of the table."""
    algorithms = ", ".join(name.split("_")[0] for name in row.chosen.values())
    cells = [row.shape, str(row.batch), f"{median(row.milliseconds['convexp']):.2f}"]
    cells += [*(f"{row.ratio(*pair):.2f}" for pair in RATIOS), algorithms, f"{row.regret():.2f}"]
    print(f"| {' | '.join(cells)} |", flush=True)


def summarise(rows: list[WideRow]) -> dict[str, dict[str, float]]:
    """Medians and extremes of the ratios, by what was aimed at."""
    found: dict[str, dict[str, float]] = {}

    def add(name: str, values: list[float]) -> None:
        if values:
            found[name] = {"median": median(values), "worst": max(values), "shapes": len(values)}

    add("convexp / unfold+einsum", [row.ratio("convexp", "unfold+einsum") for row in rows])
    add("convexp, NCHW / unfold+einsum", [row.ratio("convexp, NCHW", "unfold+einsum") for row in rows])
    large = [row for row in rows if row.batch >= 64]
    add("convexp / conv, batch >= 64", [row.ratio("convexp", "conv") for row in large])
    add("convexp, NCHW / conv, batch >= 64", [row.ratio("convexp, NCHW", "conv") for row in large])
    add("convexp / floor, batch 1", [row.ratio("convexp", "floor") for row in rows if row.batch == 1])
    add("regret", [row.regret() for row in rows])
    return found


def wide(
    batches: tuple[int, ...], rounds: int, dtype: torch.dtype, step: Callable[..., Callable[[], Any]], only: str = ""
) -> dict[str, Any]:
    """Measure and print the table; return it as data."""
    rate = matrix_rate(dtype)
    rows: list[WideRow] = []
    show_head()
    for local, batch in cases(batches):
        if only in str(local):
            rows.append(measure(local, batch, rounds, dtype, rate, step))
            show(rows[-1])
    summary = summarise(rows)
    for name, values in summary.items():
        print(f"{name}: median {values['median']:.2f}, worst {values['worst']:.2f} ({values['shapes']:.0f} shapes)")
    return {"summary": summary, "rows": [asdict(row) | {"regret": row.regret()} for row in rows]}
