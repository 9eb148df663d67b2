"""Layers whose units see windows: given the kernel at every location, the rest follows."""

import math

import torch
from torch import Tensor

from convexp.geometry import check_border
from convexp.layers import projection
from convexp.layers.arguments import check_mode
from convexp.layers.base import SpatialLayer
from convexp.layers.functional import local
from convexp.layers.taps import Taps, offsets_in_window, same_pixel, seen_pixels

# What looks at its operands is a node of its own where torch.fx traces symbolically.
torch.fx.wrap("local")


class WindowedLayer(SpatialLayer):
    """A linear layer whose units each see the window that kernel size, stride, padding and dilation describe.

    A subclass sets ``dims``, makes ``weight`` and ``bias`` (None, or broadcastable to (O, H', W')) and defines ``kernel``, the
    kernel at every location, however it comes by it; forward pass, cost, dense matrix, taps and projections follow from it.
    In the shapes L = H'*W' locations, T = k1*k2 taps, G groups.
    """

    @property
    def kernel(self) -> Tensor:
        """The kernel at every location, in the literature's order: (H', W', O, C/groups, k1, k2)."""
        raise NotImplementedError

    def batched(self, x: Tensor) -> Tensor:
        """Apply the layer to a batch: ``(B, C, H, W) -> (B, O, H', W')``."""
        return local(x, self.kernel, self.bias, self.stride, self.padding, self.dilation, self.padding_mode)

    def is_linear(self) -> bool:
        """Return True."""
        return True

    def dense_weight(self) -> Tensor:
        """Return the weight of every unit on every pixel, the sum over the taps that meet it: (O, H', W', C, H, W)."""
        matrix = projection.scatter_kernels(self._kernels_by_tap(), self._seen_pixels(), self.pixels, self.groups)
        return matrix.unflatten(1, self.output_size).unflatten(-1, self.input_size)

    def kernels(self) -> Tensor:
        """Return the kernels as pictures: (O, L, C/groups, k1, k2)."""
        return self.kernel.flatten(0, self.dims - 1).transpose(0, 1)

    def taps(self) -> Taps:
        """Return the weights by location and tap of the window."""
        weights = self.kernel.flatten(0, self.dims - 1).flatten(3).permute(0, 3, 1, 2).flatten(2).detach()  # (L, T, O*C/G)
        offsets = offsets_in_window(self).to(weights.device)
        return Taps(weights, offsets, seen_pixels(self).to(weights.device), self.shares_weights)

    def local_kernel(self, groups: int = 1) -> Tensor:
        """Return the kernel at every location, in full precision: the layer is its own nearest local layer."""
        device = self.weight.device.type if not self.weight.is_meta else "cpu"
        with torch.autocast(device, enabled=False):
            return self.kernel

    def conv_groups(self, groups: int | None = None) -> int:
        """Return the layer's own groups.

        Raises:
            ValueError: If ``groups`` are others.
        """
        if groups not in (None, self.groups):
            raise ValueError(f"groups={groups}: should be the layer's own, {self.groups}")
        return self.groups

    def conv_kernel(self, groups: int | None = None) -> Tensor:
        """Return the kernel of the nearest convolution, (O, C/groups, k1, k2), from the taps instead of the dense matrix."""
        self.conv_groups(groups)
        pixels = self._seen_pixels()
        same = same_pixel(pixels).double()  # (L, T, T)
        return self._kernel_from(torch.einsum("ltu,locu->oct", same, self._kernels_by_tap().double()), pixels)

    @torch.no_grad()
    def conv_residual(self) -> tuple[float, float]:
        """Return ``‖W - P W‖²`` and ``‖W‖²`` from the taps: the dense matrix could be too large."""
        same = same_pixel(self._seen_pixels()).double()  # (L, T, T)
        kernels = self._kernels_by_tap().double()
        rest = kernels - self.conv_kernel().flatten(2).double()
        residual, energy = (torch.einsum("loct,ltu,locu->", k, same, k) for k in (rest, kernels))
        return float(residual.clamp(min=0)), float(energy)

    def random_conv_share(self) -> float:
        """Return ``E‖P W‖² / E‖W‖²`` for independent weights of equal variance at every location and tap.

        With S[L] the taps of a location that meet the same pixel and N their sum over the locations: ``tr(N⁺ sum S²) / tr N``.
        """
        same = same_pixel(seen_pixels(self)).double()  # (L, T, T)
        total = same.sum(0)
        share = torch.linalg.pinv(total, hermitian=True) @ (same @ same).sum(0)
        return float(share.trace() / total.trace()) if total.any() else 1.0

    def set_padding_mode(self, padding_mode: str) -> bool:
        """Change the border in place and return True; return False if it is wider than the image allows with this mode."""
        check_mode(padding_mode)
        try:
            check_border(self.input_size, self.padding, padding_mode)
        except ValueError:
            return False
        self.padding_mode = padding_mode
        return True

    def flops(self, batch: int) -> tuple[int, int | None]:
        """Return ``2 B L O C/G T`` and twice that: a product's two gradients are two products of the same size."""
        windows = 2 * batch * self.locations * self.kernel_weights
        return windows, 2 * windows

    @property
    def kernel_weights(self) -> int:
        """Number of weights of one kernel, O*C/G*T."""
        return self.out_channels * (self.in_channels // self.groups) * math.prod(self.kernel_size)

    def _kernels_by_tap(self) -> Tensor:
        """(L, O, C/G, T)."""
        return self.local_kernel().flatten(0, self.dims - 1).flatten(3)
