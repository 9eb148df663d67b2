"""Which operands the kernels take, and how a kernel is launched."""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.layers.triton_local import tiles
from convexp.layers.triton_local.runtime import AVAILABLE, INTERPRETED, triton
from convexp.layers.triton_local.tiles import Kernel, Shape, Tile

DTYPES = (torch.float32, torch.float16, torch.bfloat16)
OLDEST_CAPABILITY = (8, 0)  # compute capability with which bfloat16 and asynchronous copies begin


def supports(x: Tensor, other: Tensor) -> bool:
    """Return whether the kernels take these two operands; those that they do not take are left to ``batched_gemm``."""
    return (
        AVAILABLE
        and x.dtype == other.dtype
        and x.dtype in DTYPES
        and x.device == other.device
        and 3 <= x.dim() <= 5
        and (_modern(x.device) if x.is_cuda else INTERPRETED and x.device.type == "cpu")
    )


@lru_cache
def _modern(device: torch.device) -> bool:
    return torch.version.hip is None and torch.cuda.get_device_capability(device) >= OLDEST_CAPABILITY


def launch(kernel: Kernel, tensors: tuple[Any, ...], shape: Shape, places: int, extents: Size, **options: Any) -> None:
    """Run ``kernel``: for every place and group a product of (m, k) and (k, n), with ``extents`` = (m, n, k)."""
    m, n, _ = extents
    near: Size = tuple(triton.next_power_of_2(max(1, e)) for e in extents)  # not every batch size is measured anew

    def programs(meta: dict[str, Tile]) -> tuple[int]:
        return (places * shape.groups * -(-m // meta["tile"].m) * -(-n // meta["tile"].n),)

    # Triton warns where fusing multiply and add is left to a default that will change.
    options |= {"g": shape, "extents": near, "precision": _precision(tensors[0].dtype), "enable_fp_fusion": True}
    with torch.cuda.device_of(tensors[0]):
        if INTERPRETED or torch.are_deterministic_algorithms_enabled():
            kernel.plain[programs](*tensors, **options, **tiles.fixed(near))
        else:
            kernel.tuned[programs](*tensors, **options)


def _precision(dtype: torch.dtype) -> str:
    """How Triton multiplies: ``tf32`` where torch allows float32 operands to be rounded to TensorFloat-32, else ``ieee``."""
    if INTERPRETED:
        return "widened"  # the interpreter cannot multiply bfloat16
    if dtype != torch.float32:
        return "tf32"  # without effect on 16 bits
    matmul = torch.backends.cuda.matmul
    rounded = matmul.fp32_precision == "tf32" if hasattr(matmul, "fp32_precision") else matmul.allow_tf32
    return "tf32" if rounded else "ieee"
