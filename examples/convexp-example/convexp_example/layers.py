"""A wiring between locally connected and convolutional: neighbouring locations share their kernel."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from convexp.layers.windowed import WindowedLayer


class BlockTied2d(WindowedLayer):
    """Each block of ``block`` x ``block`` locations has a kernel of its own, which its locations share.

    With ``block=1`` the layer is locally connected; with a block as large as the output it is a convolution. It maps images
    ``(B, C, H, W)`` to ``(B, O, H', W')``. The skeleton passes all arguments but ``block``.

    Args:
        in_channels: Number of input channels C.
        out_channels: Number of output channels O.
        kernel_size: Side of the window, in pixels.
        input_size: Size (H, W) of the input.
        stride: Distance between windows, in pixels.
        padding: Border around the input, in pixels.
        dilation: Distance between neighbouring pixels in a window.
        padding_mode: How the border is filled.
        bias: Whether each output channel has a bias.
        block: Side of a block, in locations, 1 or more.
    """

    dims = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        input_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | str | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        padding_mode: str = "zeros",
        bias: bool = True,
        block: int = 2,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, 1, padding_mode)
        if block < 1:
            raise ValueError(f"block={block}: should be 1 or more")
        self.block = block
        blocks = [-(-n // block) for n in self.output_size]
        self.weight = nn.Parameter(torch.empty(*blocks, out_channels, in_channels, *self.kernel_size))
        self.bias = nn.Parameter(torch.empty(out_channels, 1, 1)) if bias else None
        self.reset_parameters()

    @property
    def kernel(self) -> Tensor:
        """The kernel at every location, ``(H', W', O, C, k, k)``. Forward pass, cost and probes follow from it."""
        rows, columns = (torch.arange(n, device=self.weight.device) // self.block for n in self.output_size)
        return self.weight[rows][:, columns]
