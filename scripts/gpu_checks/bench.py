"""What every check is given: the device, how large its cases are, and how its steps are timed."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from convexp.training.captured_passes import cuda_graph

Step = Callable[[], Any]
TYPES = {"float32": torch.float32, "tf32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""How numbers are stored; ``tf32`` is float32 whose products may be rounded to TensorFloat-32."""


@dataclass(frozen=True)
class Bench:
    """The device of the checks.

    Attributes:
        device: ``cuda`` or ``cpu``.
        seconds: Time that the check may take; what is optional in it stops before.
        began: When it began, as ``time.monotonic`` counts.
    """

    device: str
    seconds: float
    began: float

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a GPU: cases are large and many. On a CPU they are small and few."""
        return self.device == "cuda"

    @property
    def left(self) -> float:
        """Seconds left to the check."""
        return self.began + self.seconds - time.monotonic()

    def sized(self, on_gpu: Any, on_cpu: Any) -> Any:
        """The one or the other size."""
        return on_gpu if self.on_gpu else on_cpu

    def synchronize(self) -> None:
        """Wait until the device has done what it was given."""
        if self.on_gpu:
            torch.cuda.synchronize()

    def time(self, step: Step, calls: int = 1) -> float:
        """Seconds of one call out of ``calls`` in a row: wall-clock time on a GPU, CPU time on a CPU."""
        clock = time.perf_counter if self.on_gpu else time.process_time
        self.synchronize()
        start = clock()
        for _ in range(calls):
            step()
        self.synchronize()
        return (clock() - start) / calls

    def interleaved(self, steps: Mapping[str, Step], rounds: int = 0) -> dict[str, list[float]]:
        """Seconds of a call of every step, one after another, ``rounds`` times; each time over some milliseconds of calls."""
        calls: dict[str, int] = {}
        for name, step in steps.items():
            step()  # warms up
            once = max(self.time(step), 1e-6)
            calls[name] = max(1, min(200, int(self.sized(0.01, 0.002) / once)))
        found: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(rounds or self.sized(7, 3)):
            for name, step in steps.items():
                found[name].append(self.time(step, calls[name]))
        return found


def ratios(found: Mapping[str, list[float]], name: str, base: str) -> list[float]:
    """The times of ``name`` over those of ``base``, round by round."""
    return [a / b for a, b in zip(found[name], found[base], strict=True)]


def set_type(name: str) -> torch.dtype:
    """The type called ``name`` in ``TYPES``, with products of float32 rounded or not, as it says."""
    torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = name == "tf32"
    return TYPES[name]


def captured(step: Callable[[], Any]) -> Step:
    """The step as a CUDA graph, as a training does it. What it reads and writes stays where it is."""
    return cuda_graph(step)[1]


def apart(ones: Iterable[Tensor], others: Iterable[Tensor]) -> float:
    """How far two networks' weights lie apart: the length of the difference over that of the weights.

    Not the largest difference: where a gradient is zero but for rounding, Adam makes a whole step of either sign.
    """
    one, other = (torch.cat([each.detach().flatten() for each in tensors]) for tensors in (ones, others))
    return float((one - other).norm() / one.norm())


@cache
def copy_rates(bench: Bench) -> list[float]:
    """Bytes per second of a copy of a large tensor, bytes read and bytes written both counted, round by round."""
    source = torch.ones(bench.sized(2**28, 2**22), device=bench.device)
    target = torch.empty_like(source)

    def copy() -> Tensor:
        return target.copy_(source)

    return [2 * source.nbytes / seconds for seconds in bench.interleaved({"copy": copy})["copy"]]


@cache
def product_rates(bench: Bench, name: str) -> list[float]:
    """FLOPs per second of a product of large square matrices of a type of ``TYPES``, round by round; a multiply-add is two."""
    side = bench.sized(8192, 512)
    dtype = set_type(name)
    a, b = (torch.randn(side, side, device=bench.device).to(dtype) for _ in range(2))
    return [2 * side**3 / seconds for seconds in bench.interleaved({"gemm": lambda: a @ b})["gemm"]]


def bytes_per_second(bench: Bench) -> float:
    """The best of ``copy_rates``, from which floors are computed."""
    return max(copy_rates(bench))


def flops_per_second(bench: Bench, name: str) -> float:
    """The best of ``product_rates``, from which floors are computed."""
    return max(product_rates(bench, name))


def floor_seconds(bench: Bench, name: str, flops: float, moved: float) -> float:
    """The least time that this device takes for so many FLOPs of a type and bytes moved, by the rates measured on it."""
    return max(flops / flops_per_second(bench, name), moved / bytes_per_second(bench))
