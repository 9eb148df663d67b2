"""What a layer costs: parameters, FLOPs and bytes (docs/design.md, section 1).

A multiply-add counts as two FLOPs, and adding a bias counts nothing, as in ``torch.utils.flop_counter``. The two agree on all
layers except on the weight gradient of a grouped convolution, which torch counts as if it had no groups: G times too much.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import nn


@dataclass(frozen=True)
class Cost:
    """The cost of one layer for a batch of B images.

    Each pass reads or writes parameters, input and output at least once.

    Attributes:
        weights: Number of weights, without biases.
        biases: Number of biases.
        forward_flops: FLOPs of the forward pass.
        backward_flops: FLOPs of the gradients with respect to input and weights; None where it depends on how torch computes
            the Fourier transform.
        parameter_bytes: Bytes of the parameters.
        input_bytes: Bytes of the input, of the whole batch.
        output_bytes: Bytes of the output, of the whole batch.
    """

    weights: int
    biases: int
    forward_flops: int
    backward_flops: int | None
    parameter_bytes: int
    input_bytes: int
    output_bytes: int


@runtime_checkable
class HasCost(Protocol):
    """A layer that knows its own cost, as every ``SpatialLayer`` does."""

    def cost(self, batch: int = 1) -> Cost:
        """Return the cost for ``batch`` images."""
        ...


def cost(layer: nn.Module, batch: int = 1) -> Cost:
    """Return the cost of ``layer`` for ``batch`` images: what ``layer.cost(batch)`` says.

    With C input and O output channels, P = H*W pixels, L = H'*W' locations, T = k1*k2 taps, G groups, R the rank:

    | layer | weights | forward FLOPs |
    | --- | --- | --- |
    | dense | C P O L | 2 B C P O L |
    | local | L O C/G T | 2 B L O C/G T |
    | low-rank | R O C/G T + R L | 2 B L O C/G T + 2 R L O C/G T |
    | conv | O C/G T | 2 B L O C/G T |
    | global_conv | O C (2H-1) (2W-1), circular O C P | 2 B C P O L, or by transforms (``fourier_flops``) |
    | another | as many as it has | counted by torch, unless the layer has a closed form of its own |

    Raises:
        TypeError: If the layer is not one of ``convexp.layers``, nor a ``SpatialLayer`` of another package.
        ValueError: If ``batch`` is not a number of images.
    """
    if not isinstance(layer, HasCost):
        raise TypeError(f"{type(layer).__name__}: should be a layer of convexp.layers")
    return layer.cost(batch)
