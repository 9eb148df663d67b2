"""The locally connected layer in torch's standard operators, for ONNX and for transforms in compiled code.

Every transform, exporter and compiler of torch knows these operators; they take k1*k2 times the input's memory.
"""

import math
from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F

from convexp.layers.convolution import im2col


def forward(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> Tensor:
    """Do as ``ops.forward``: x (B, C, H, W), weight (H', W', O, C/G, k1, k2), bias broadcastable to (O, H', W')."""
    dims = len(stride)
    size, outputs, inputs, kernel = weight.shape[:dims], weight.shape[dims], weight.shape[dims + 1], weight.shape[dims + 2 :]
    groups, locations = x.shape[1] // inputs, math.prod(size)
    bordered = F.pad(x, [p for p in reversed(padding) for _ in range(2)])  # (B, C, H + 2p, W + 2p)
    columns = im2col(bordered, kernel, stride, dilation).unflatten(1, (groups, -1))  # (B, G, C/G*T, L)
    kernels = weight.reshape(locations, groups, outputs // groups, -1)  # (L, G, O/G, C/G*T)
    seen = columns.permute(3, 1, 2, 0)  # (L, G, C/G*T, B)
    y = (kernels @ seen).permute(3, 1, 2, 0).reshape(-1, outputs, *size)  # (B, O, H', W')
    return y if bias is None else y + bias
