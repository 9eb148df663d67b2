"""The locally connected layer as three Triton kernels: ``batched_gemm`` without the copies.

The functions, their results and the memory layouts are those of ``batched_gemm``. A program computes one tile of one unit's
matrix product and loops over the third side of the product. Nothing is unfolded or padded: every operand is gathered from where
it lies (runs of the batch in images, runs of taps in weights), and what lies outside the image is masked. The input gradient
gathers too, for every pixel all (tap, output) pairs that reach it, so that no two programs write to the same place and results
do not depend on the order of programs.

One and two dimensions are treated as three, with leading sizes of 1. Products are summed in float32. The tile is the fastest of
a few, measured on the first call of each shape; with ``torch.use_deterministic_algorithms`` it is a fixed one, because the tile
decides the order of the sums and so the last bits.

Triton takes a while to import: import this package only where its kernels may run.
"""

from convexp.layers.triton_local.forward_kernel import forward
from convexp.layers.triton_local.input_gradient_kernel import input_gradient
from convexp.layers.triton_local.launch import supports
from convexp.layers.triton_local.runtime import AVAILABLE, INTERPRETED
from convexp.layers.triton_local.weight_gradient_kernel import weight_gradient

__all__ = ["AVAILABLE", "INTERPRETED", "forward", "input_gradient", "supports", "weight_gradient"]
