"""Every unit sees a window, with weights of its own: locally connected, a convolution without weight sharing."""

from collections.abc import Callable
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from convexp.layers.arguments import Padding, Sizes
from convexp.layers.image_layer import uniform
from convexp.layers.layout import literature_order, stored_order
from convexp.layers.windowed import WindowedLayer

BiasKind = Literal["location", "channel", False]
LocalBias = Literal["location", "channel", True, False]


def check_bias(bias: LocalBias) -> BiasKind:
    """Return the kind of bias; True stands for the default one, ``location``.

    Raises:
        ValueError: If ``bias`` is not ``location``, ``channel``, True or False.
    """
    if isinstance(bias, bool):
        return "location" if bias else False
    if bias not in ("location", "channel"):
        raise ValueError(f"bias={bias}: should be location (or true), channel or false")
    return bias


class PerLocation(WindowedLayer):
    """A layer with a kernel of its own at every location, and a bias by location or by channel.

    Attributes:
        bias_kind: ``location`` (a bias for each unit, (O, H', W')), ``channel`` (one for each channel, (O, 1, 1)) or False.
    """

    bias_kind: BiasKind

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.out_channels, *(self.output_size if self.bias_kind == "location" else (1,) * self.dims))

    def bias_count(self) -> int:
        """Return ``O L`` for a bias by location, O for one by channel, 0 for none."""
        if self.bias is None:
            return 0
        return self.out_channels * (self.locations if self.bias_kind == "location" else 1)

    def extra_repr(self) -> str:
        """Return the arguments, with the kind of bias if it is not the default."""
        shown = super().extra_repr()
        return f"{shown}, bias=channel" if self.bias_kind == "channel" else shown


class LocallyConnectedNd(PerLocation):
    """Locality without weight sharing (docs/design.md, section 1).

    ``h[o,i,j] = u[o,i,j] + sum_{c,a,b} V[i,j,o,c,a,b] x[c, s*i + d*a - p, s*j + d*b - p]``

    With the same kernel at every location it is exactly a convolution. Arguments are those of ``nn.Conv2d`` plus
    ``input_size``, and all of them mean the same, but for ``bias``: ``location`` (one for each unit, O*H'*W'; so does True),
    ``channel`` (one for each channel, as a convolution has) or False.

    Shapes: ``weight`` (H', W', O, k2, k1, C/groups), the parameter, with the window of a unit contiguous in memory;
    ``kernel`` (H', W', O, C/groups, k1, k2), a view of it in the literature's order;
    ``bias`` (O, H', W') or (O, 1, 1); ``(B, C, H, W) -> (B, O, H', W')``. In one and three dimensions likewise: ``weight`` has
    the last dimension's taps first and the channels last.

    The weight is an ordinary contiguous parameter, of the same name and order in ``named_parameters``, state dicts, exported
    programs and an optimizer's state; ``in_literature_order`` turns any of these. A state dict may bring it as ``kernel``, in
    the literature's order, as well.

    The output lies in memory with the batch innermost, as the next such layer wants it (like channels-last: other strides,
    the same tensor).
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
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, groups, padding_mode)
        self.bias_kind = check_bias(bias)
        self.weight = nn.Parameter(torch.empty(self._weight_shape(), device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(self._bias_shape(), device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def _weight_shape(self) -> tuple[int, ...]:
        shape = (*self.output_size, self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        return tuple(shape[i] for i in stored_order(self.dims))

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform by the inputs of one unit, as ``nn.Conv2d`` does."""
        for parameter in (self.kernel, self.bias):
            if parameter is not None:
                uniform(parameter, self.fan_in())

    def weight_count(self) -> int:
        """Return ``L O C/G T``."""
        return self.locations * self.kernel_weights

    @property
    def kernel(self) -> Tensor:
        """The weights in the literature's order, (H', W', O, C/groups, k1, k2); a view: writing into it writes the weights."""
        return self.in_literature_order(self.weight)

    def in_literature_order(self, weight: Tensor) -> Tensor:
        """Return ``weight``, its gradient or an optimizer's state, (H', W', O, k2, k1, C), as a view (H', W', O, C, k1, k2)."""
        return weight.permute(literature_order(self.dims))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Keep the order of what ``to(memory_format=torch.channels_last)`` would take for images: all of four dimensions."""

        def in_order(tensor: Tensor) -> Tensor:
            if is_lazy(tensor) or tensor.dim() != 4:
                return fn(tensor)
            return fn(tensor.flatten(0, 1)).unflatten(0, tensor.shape[:2])

        return super()._apply(in_order, recurse)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *settings: Any, **named: Any) -> None:
        """Load ``kernel``, which older checkpoints hold, as ``weight``."""
        kernel = state_dict.pop(f"{prefix}kernel", None)
        if kernel is not None:
            turned = kernel.dim() == 2 * self.dims + 2 and not is_lazy(kernel)  # of any other, torch says the shape
            state_dict[f"{prefix}weight"] = kernel.permute(stored_order(self.dims)).contiguous() if turned else kernel
        super()._load_from_state_dict(state_dict, prefix, *settings, **named)


class LocallyConnected1d(LocallyConnectedNd):
    """``(B, C, L) -> (B, O, L')``; kernel (L', O, C/groups, k)."""

    dims = 1


class LocallyConnected2d(LocallyConnectedNd):
    """``(B, C, H, W) -> (B, O, H', W')``; kernel (H', W', O, C/groups, k1, k2)."""

    dims = 2


class LocallyConnected3d(LocallyConnectedNd):
    """``(B, C, D, H, W) -> (B, O, D', H', W')``; kernel (D', H', W', O, C/groups, k1, k2, k3)."""

    dims = 3
