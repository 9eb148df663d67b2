"""The locally connected layer as a function, with the borders and the checks that a convolution has."""

from torch import Tensor

from convexp.geometry import check_border, output_size
from convexp.layers import eager
from convexp.layers.arguments import Padding, Sizes, check_mode, count, padding_pixels, sizes
from convexp.layers.operands import check_operands, pad, working_type


def local(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    padding_mode: str,
) -> Tensor:
    """Do as ``locally_connected``, for arguments that are known to fit; cast as autocast asks."""
    dtype = working_type(x)
    if padding_mode != "zeros":  # before the cast: autocast pads in float32
        x, padding = pad(x, padding, padding_mode), (0,) * len(padding)
    x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    return eager.locally_connected(x, weight, bias, stride, padding, dilation)


def locally_connected(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Tensor:
    """A convolution without weight sharing, in one, two or three dimensions (docs/design.md, section 1).

    ``h[o,i,j] = bias[o,i,j] + sum_{c,a,b} weight[i,j,o,c,a,b] x[c, s*i + d*a - p, s*j + d*b - p]``

    Args:
        input: (B, C, H, W), or (C, H, W) without a batch.
        weight: (H', W', O, C/groups, k1, k2); fastest if it lies in memory as ``LocallyConnected2d.kernel`` does.
        bias: (O,), (O, 1, 1) or (O, H', W').
        stride: As in ``torch.nn.functional.conv2d``.
        padding: Padding in pixels, ``same`` or ``valid``.
        dilation: As in ``torch.nn.functional.conv2d``.
        groups: As in ``torch.nn.functional.conv2d``.
        padding_mode: ``zeros``, ``reflect``, ``replicate`` or ``circular``.

    Returns:
        (B, O, H', W'), or (O, H', W'). It lies in memory with the batch innermost, the order in which the next such layer is
        fastest.

    Raises:
        TypeError, ValueError: naming the argument, its value and what would be right.
    """
    check_operands(input, weight, bias)
    dims = (weight.dim() - 2) // 2
    if dims not in (1, 2, 3) or weight.dim() != 2 * dims + 2 or not weight.numel():
        raise ValueError(f"weight of shape {tuple(weight.shape)}: should be (H', O, C, k), (H', W', O, C, k1, k2) or in 3-D")
    size, (units, channels), kernel = weight.shape[:dims], weight.shape[dims : dims + 2], tuple(weight.shape[dims + 2 :])
    if input.dim() not in (dims + 1, dims + 2):
        raise ValueError(
            f"input of shape {tuple(input.shape)}: should have {dims + 2} dimensions, or {dims + 1} without a batch"
        )
    check_mode(padding_mode)
    stride, dilation = sizes("stride", stride, dims, 1), sizes("dilation", dilation, dims, 1)
    border = padding_pixels(padding, kernel, dilation)
    if units % count("groups", groups):
        raise ValueError(f"groups={groups}: should divide the weight's {units} output channels")
    if input.shape[-dims - 1] != channels * groups:
        raise ValueError(
            f"input of shape {tuple(input.shape)}: should have {channels * groups} channels, as weight and groups say"
        )
    check_border(input.shape[-dims:], border, padding_mode)
    if size != (made := output_size(input.shape[-dims:], kernel, stride, border, dilation)):
        raise ValueError(
            f"weight of shape {tuple(weight.shape)}: should begin with {made}, the number of locations for this input"
        )
    if bias is not None:
        if bias.shape not in ((units,), (units, *(1,) * dims), (units, *size)):
            raise ValueError(f"bias of shape {tuple(bias.shape)}: should be ({units},) or {(units, *size)}")
        bias = bias.reshape(-1, *(1,) * dims) if bias.dim() == 1 else bias
    x = input if input.dim() == dims + 2 else input.unsqueeze(0)
    y = local(x, weight, bias, stride, border, dilation, padding_mode)
    return y if input.dim() == dims + 2 else y.squeeze(0)
