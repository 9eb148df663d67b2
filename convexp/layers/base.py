"""The base of all layers: what a layer tells about itself, so that probes, conversions and accounting can ask any layer.

In the shapes L = H'*W' locations, P = H*W pixels, T = k1*k2 taps, G groups.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor

from convexp.layers import layout, linear_map, projection
from convexp.layers.arguments import count
from convexp.layers.cost import Cost
from convexp.layers.image_layer import ImageLayer
from convexp.layers.taps import Taps, offsets_to_pixels, same_pixel, seen_pixels


class NotLinearError(TypeError):
    """The layer is not linear, so that it has no dense matrix and no weights by location and tap."""


class SpatialLayer(ImageLayer):
    """A layer on images that knows its own weights, cost and nearest convolution.

    A subclass sets ``dims``, makes ``weight`` (and ``bias``, or None) and defines ``batched``. If it is linear apart from its
    bias, the methods below find out everything else that probes and conversions ask for. A subclass overrides those for which
    it has a cheaper way or a closed form; one whose units see windows extends ``WindowedLayer`` instead.

    Arguments and errors are those of ``ImageLayer``.

    Attributes:
        shares_weights: Whether all locations use the same weights by construction.
    """

    shares_weights: ClassVar[bool] = False

    @property
    def locations(self) -> int:
        """Number of locations of a unit in the output, L = H'*W'."""
        return math.prod(self.output_size)

    @property
    def pixels(self) -> int:
        """Number of pixels of the input, P = H*W."""
        return math.prod(self.input_size)

    def is_linear(self) -> bool:
        """Return whether the layer is linear apart from its bias; by default a test on random images."""
        return linear_map.is_linear(self, (self.in_channels, *self.input_size), self.weight.device)

    def dense_weight(self) -> Tensor:
        """Return the weight of every unit on every pixel, ``W[o,i,j,c,k,l]``: (O, H', W', C, H, W).

        By default the layer's response to the image that is 1 at one pixel and 0 elsewhere, for all pixels, without gradients.

        Raises:
            NotLinearError: If the layer is not linear.
        """
        if not self.is_linear():
            raise NotLinearError(f"{type(self).__name__} is not linear, so that it has no weight for each unit and pixel")
        columns = linear_map.unit_responses(self, (self.in_channels, *self.input_size), self.weight)  # (C*P, O, H', W')
        return columns.movedim(0, -1).unflatten(-1, (self.in_channels, *self.input_size))

    def unit_bias(self) -> Tensor | None:
        """Return the bias of every unit, (O, H', W'), from one for each channel or each unit; None for a layer without."""
        bias: Tensor | None = getattr(self, "bias", None)
        if bias is None:
            return None
        if bias.numel() == self.out_channels:
            return bias.reshape(-1, *(1,) * self.dims).expand(-1, *self.output_size)
        return bias.reshape(self.out_channels, *self.output_size)

    def kernels(self) -> Tensor:
        """Return the weights as pictures, a kernel for every output channel and location: by default (O, L, C, H, W).

        A layer whose locations share a kernel has L = 1, and one whose units see windows pictures of their size.
        """
        return self.dense_weight().flatten(1, self.dims)

    def taps(self) -> Taps:
        """Return the weights by location and tap; by default every pixel is a tap of every location."""
        weights = self._dense_matrix().permute(1, 3, 0, 2).flatten(2).detach()  # (L, P, O*C)
        everywhere = torch.arange(self.pixels, device=weights.device).expand(self.locations, -1)
        return Taps(weights, offsets_to_pixels(self).to(weights.device), everywhere, self.shares_weights)

    def local_kernel(self, groups: int = 1) -> Tensor:
        """Return the kernel at every location of the nearest locally connected layer: (H', W', O, C/groups, k1, k2).

        Nearest in the Frobenius norm of the dense matrix, among the local layers with this layer's geometry.
        """
        kernels = projection.nearest_kernels(self._dense_matrix(), self._seen_pixels(), groups)  # (L, O, C/G, T)
        return _stored(kernels.unflatten(0, self.output_size).unflatten(-1, self.kernel_size))

    def conv_groups(self, groups: int | None = None) -> int:
        """Return the groups of the nearest convolution: ``groups``, or the layer's own for None."""
        return self.groups if groups is None else count("groups", groups)

    def conv_kernel(self, groups: int | None = None) -> Tensor:
        """Return the kernel of the nearest convolution: (O, C/groups, k1, k2).

        Nearest in the Frobenius norm of the dense matrix, among the convolutions with this layer's geometry.
        """
        pixels = self._seen_pixels()
        kernels = projection.gather_kernels(self._dense_matrix(), pixels, self.conv_groups(groups))  # (L, O, C/G, T)
        return self._kernel_from(kernels.double().sum(0), pixels)

    @torch.no_grad()
    def conv_residual(self) -> tuple[float, float]:
        """Return ``‖W - P W‖²`` and ``‖W‖²``, W the dense matrix and P W that of the nearest convolution."""
        shared = self.conv_kernel().flatten(2).expand(self.locations, -1, -1, -1)  # (L, O, C/G, T)
        nearest = projection.scatter_kernels(shared, self._seen_pixels(), self.pixels, self.conv_groups())
        weight = self._dense_matrix().flatten(2).flatten(0, 1)  # (O*L, C*P)
        rest = weight - nearest.flatten(2).flatten(0, 1)
        return float(rest.square().sum(dtype=torch.float64)), float(weight.square().sum(dtype=torch.float64))

    def random_conv_share(self) -> float:
        """Return ``E‖P W‖² / E‖W‖²`` for independent weights of equal variance, P W the nearest convolution.

        By default for a weight for every unit and pixel: the rank of N over the number of pairs of location and pixel, N[t,t']
        the number of locations at which taps t and t' meet the same pixel.
        """
        met = same_pixel(seen_pixels(self)).double().sum(0)  # (T, T)
        return int(torch.linalg.matrix_rank(met, hermitian=True)) / (self.locations * self.pixels)

    def set_padding_mode(self, padding_mode: str) -> bool:
        """Change the border in place and return True; return False, and change nothing, if the layer has no such border.

        By default a layer is made for its border and no other.
        """
        return False

    def weight_count(self) -> int:
        """Return the number of weights, without biases; by default the numbers of all parameters."""
        return sum(p.numel() for name, p in self.named_parameters() if name != "bias")

    def bias_count(self) -> int:
        """Return the number of biases."""
        bias: Tensor | None = getattr(self, "bias", None)
        return 0 if bias is None else bias.numel()

    def flops(self, batch: int) -> tuple[int, int | None]:
        """Return the FLOPs of the forward and the backward pass for ``batch`` images; by default counted by torch."""
        return linear_map.counted_flops(self, self.weight.new_zeros(batch, self.in_channels, *self.input_size))

    def cost(self, batch: int = 1) -> Cost:
        """Return the cost for ``batch`` images, from ``weight_count``, ``bias_count`` and ``flops``.

        Raises:
            TypeError, ValueError: If ``batch`` is not a number of images.
        """
        batch = count("batch", batch, least=0)
        weights, biases = self.weight_count(), self.bias_count()
        forward, backward = self.flops(batch)
        size = self.weight.element_size()
        return Cost(
            weights=weights,
            biases=biases,
            forward_flops=forward,
            backward_flops=backward,
            parameter_bytes=size * (weights + biases),
            input_bytes=size * batch * self.in_channels * self.pixels,
            output_bytes=size * batch * self.out_channels * self.locations,
        )

    def _dense_matrix(self) -> Tensor:
        """``dense_weight`` with locations and pixels in one dimension each: (O, L, C, P)."""
        return self.dense_weight().reshape(self.out_channels, self.locations, self.in_channels, self.pixels)

    def _seen_pixels(self) -> Tensor:
        return seen_pixels(self).to(self.weight.device)

    def _kernel_from(self, summed: Tensor, pixels: Tensor) -> Tensor:
        kernel = projection.nearest_shared_kernel(summed, pixels)
        return kernel.to(self.weight.dtype).unflatten(-1, self.kernel_size)


def _stored(kernel: Tensor) -> Tensor:
    """The kernel at every location, (H', W', O, C/G, k1, k2), as a local layer's weights lie in memory."""
    return layout.new_weight(kernel, kernel.shape).copy_(kernel)
