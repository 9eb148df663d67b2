"""Between local and conv: the kernel at each location is a mixture of a few kernels that all locations share."""

import math
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from convexp.layers.arguments import Padding, Sizes, count, flag
from convexp.layers.layout import literature_order, stored_order
from convexp.layers.local import LocalBias, PerLocation, check_bias


class LowRankLocallyConnectedNd(PerLocation):
    """Weights per location of rank R (Elsayed, Ramachandran, Shlens & Kornblith 2020, "Revisiting Spatial Invariance").

    ``V[i,j,o,c,a,b] = sum_r s_r[i,j] V_r[o,c,a,b]``: rank 1 with equal s is a convolution, rank min(H'*W', O*C*k1*k2) any local
    layer.

    Args:
        rank: Number R of shared kernels.
        softmax: Whether to mix with positive shares that sum to 1 at each location, s = softmax(combination) over r, as the
            paper does.
        bias: ``location``, ``channel`` or False, as in ``LocallyConnected2d``.

    The other arguments are those of ``ImageLayer``. The mixtures are computed once per batch and applied as a local layer, so
    that the time hardly depends on the rank.

    Shapes: ``weight`` (R, O, C/groups, k1, k2), ``combination`` (R, H', W'), ``bias`` (O, H', W') or (O, 1, 1);
    ``(B, C, H, W) -> (B, O, H', W')``. In one and three dimensions there are as many spatial dimensions fewer or more.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        input_size: Sizes,
        stride: Sizes = 1,
        padding: Padding = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: LocalBias = "location",
        padding_mode: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        rank: int = 1,
        softmax: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, groups, padding_mode)
        self.rank = count("rank", rank)
        self.softmax = flag("softmax", softmax)
        self.bias_kind = check_bias(bias)
        shape = (rank, out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.combination = nn.Parameter(torch.empty(rank, *self.output_size, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(self._bias_shape(), device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew; the mixed kernels vary as those of ``nn.Conv2d`` do: ``sum_r s_r^2 = 1`` on average."""
        super().reset_parameters()
        with torch.no_grad():
            if self.softmax:
                self.combination.zero_()
                self.weight.mul_(math.sqrt(self.rank))
            else:
                self.combination.normal_(std=1 / math.sqrt(self.rank))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Apply ``to(memory_format=torch.channels_last)``, which knows kernels of four dimensions, to each shared kernel."""

        def by_kernel(tensor: Tensor) -> Tensor:
            shared = tensor.dim() == self.dims + 3
            return fn(tensor.flatten(0, 1)).unflatten(0, (self.rank, -1)) if shared else fn(tensor)

        return super()._apply(by_kernel, recurse)

    def mixture(self) -> Tensor:
        """Return s, the share of every kernel at every location: (R, H', W')."""
        return self.combination.softmax(0) if self.softmax else self.combination

    @property
    def kernel(self) -> Tensor:
        """The kernel at every location, ``sum_r s_r V_r``, in the literature's order: (H', W', O, C/groups, k1, k2)."""
        taps = [i - self.dims for i in stored_order(self.dims)[self.dims :]]  # of (O, C, k1, k2), as they lie in memory
        shared = self.weight.permute(0, *(1 + i for i in taps))  # (R, O, k2, k1, C)
        mixed = self.mixture().flatten(1).t() @ shared.flatten(1)  # (H'*W', O*k2*k1*C)
        size = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        return mixed.reshape(*self.output_size, *(size[i] for i in taps)).permute(literature_order(self.dims))

    def weight_count(self) -> int:
        """Return ``R O C/G T + R L``."""
        return self.rank * (self.kernel_weights + self.locations)

    def flops(self, batch: int) -> tuple[int, int | None]:
        """Return ``2 B L O C/G T + 2 R L O C/G T``, the second for mixing the kernels, and twice that."""
        windows = 2 * batch * self.locations * self.kernel_weights
        flops = windows + 2 * self.rank * self.locations * self.kernel_weights
        return flops, 2 * flops

    def extra_repr(self) -> str:
        """Return the arguments, with the rank."""
        shown = f"{super().extra_repr()}, rank={self.rank}"
        return f"{shown}, softmax=True" if self.softmax else shown


class LowRankLocallyConnected1d(LowRankLocallyConnectedNd):
    """``(B, C, L) -> (B, O, L')``; weight (R, O, C/groups, k)."""

    dims = 1


class LowRankLocallyConnected2d(LowRankLocallyConnectedNd):
    """``(B, C, H, W) -> (B, O, H', W')``; weight (R, O, C/groups, k1, k2)."""

    dims = 2


class LowRankLocallyConnected3d(LowRankLocallyConnectedNd):
    """``(B, C, D, H, W) -> (B, O, D', H', W')``; weight (R, O, C/groups, k1, k2, k3)."""

    dims = 3
