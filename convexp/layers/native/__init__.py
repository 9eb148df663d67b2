"""The locally connected layer on a CPU in C, where the machine has a compiler: ``batched_gemm`` without the copies.

The functions of ``few_images`` and ``many_images``, their results and the memory layouts are those of ``batched_gemm``. The
windows of units are read where they lie in the padded image, through tables of offsets (``places``), and products are made in
registers, as the library's are not that torch calls for each unit. The vectors of a processor are filled by the images of a
batch, or, if these are few, by the inputs of a unit.

All is computed in float32. Operands in bfloat16 or float16 are widened, of the weights a few rows at a time, or, with few
images, where they are read, so that no float32 copy of them exists; the result is rounded once, to the nearest, of two to the
even one.

``kernels.c`` is compiled for this processor when it is first needed (``build``). Results differ from those of the other
algorithms in the last bits, and are the same whatever the number of threads.
"""

import torch
from torch import Tensor

from convexp.layers.native.build import library
from convexp.layers.native.operations import TYPES


def takes(operand: Tensor) -> bool:
    """Return whether the kernels take such an operand: float32 or a type of 16 bits, on a CPU where they could be compiled."""
    return operand.dtype in TYPES and available(operand.device)


def available(device: torch.device) -> bool:
    """Return whether there are kernels for a device: for a CPU, where they could be compiled."""
    return device.type == "cpu" and library() is not None
