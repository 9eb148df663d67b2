"""Images with the batch innermost in memory, as locally connected layers make and read them, seen as torch computes them fast.

On a CPU torch copies images that lie otherwise than it knows, in both passes. But what lies as (H, W, C, B) is an ordinary
tensor of another shape, as which it is seen here, without a copy. What torch makes of that lies in the same order, and so do
gradients. Dimensions are merged and split where they are in their order in memory, so that what has to be copied is copied in
rows. Images in any other order are left as they are.

Where torch.fx traces symbolically, functions that look at how their operands lie have to be nodes of their own: a module that
uses them names them to ``torch.fx.wrap``.
"""

from torch import Tensor


def _innermost(x: Tensor) -> bool:
    return x.is_cpu and x.dim() > 2 and x.shape[0] > 1 and x.stride(0) == 1


def as_vectors(x: Tensor) -> Tensor:
    """Return images as vectors, ``(B, C, H, W) -> (B, C*H*W)``; with the batch innermost, too, if ``x`` has it there."""
    return x.movedim(0, -1).flatten(0, -2).t() if _innermost(x) else x.flatten(1)


def by_unit(x: Tensor) -> Tensor:
    """Return images for a function of the numbers of each unit: (B, C*H*W) or (1, C*H*W, B)."""
    return as_vectors(x).t().unsqueeze(0) if _innermost(x) else x.flatten(1)


def from_units(y: Tensor, x: Tensor) -> Tensor:
    """Return what was made of ``by_unit(x)`` in the shape of x."""
    return y.squeeze(0).unflatten(0, x.shape[1:]).movedim(-1, 0) if _innermost(x) else y.reshape(x.shape)


def by_channel(x: Tensor) -> Tensor:
    """Return images for a function of the numbers of each channel: (B, C, H, W) or (H*W, C, B)."""
    return x.movedim((1, 0), (-2, -1)).flatten(0, -3) if _innermost(x) else x


def from_channels(y: Tensor, x: Tensor) -> Tensor:
    """Return what was made of ``by_channel(x)`` in the shape of x."""
    return y.unflatten(0, x.shape[2:]).movedim((-2, -1), (1, 0)) if _innermost(x) else y


def by_map(x: Tensor) -> Tensor:
    """Return images in two dimensions for a function of each map: (B, C, H, W), or (1, C*B, H, W) with the channels last."""
    if x.dim() != 4 or not _innermost(x):
        return x
    return x.permute(2, 3, 1, 0).flatten(2).unsqueeze(0).permute(0, 3, 1, 2)


def from_maps(y: Tensor, x: Tensor) -> Tensor:
    """Return what was made of ``by_map(x)``, maps of any size, as images (B, C, H', W')."""
    if x.dim() != 4 or not _innermost(x):
        return y
    return y.permute(0, 2, 3, 1).squeeze(0).unflatten(2, (x.shape[1], x.shape[0])).permute(3, 2, 0, 1)
