"""Torch's defaults, whatever those of a caller are: tensors on the CPU, in single precision."""

from collections.abc import Generator
from contextlib import contextmanager, nullcontext

import torch


@contextmanager
def torch_defaults() -> Generator[None]:
    """A context in which tensors are made on the CPU and in single precision, also within ``with torch.device("cuda")``."""
    dtype, on_cpu = torch.get_default_dtype(), torch.get_default_device().type == "cpu"
    torch.set_default_dtype(torch.float32)
    try:
        with nullcontext() if on_cpu else torch.device("cpu"):  # a device is an extra call in every operation
            yield
    finally:
        torch.set_default_dtype(dtype)
