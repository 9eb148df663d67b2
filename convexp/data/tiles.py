"""Images as tiles of a picture."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.pictures.colour_bar import Pixels
from convexp.pictures.sheet import enlarge

INK, PAPER = 0, 238  # grey levels of a curve and of what it is drawn on


def image_tiles(images: Tensor, side: int) -> Pixels:
    """Return images ``(N, C, H, W)`` uint8, or signals ``(N, C, L)``, as tiles of about ``side`` pixels, ``(N, h, w, 3)``.

    Three channels are colours; of others the first is shown, in grey. A signal of one channel is drawn as a curve, one of
    several as a grey image with a row for each channel.
    """
    if images.dim() == 3 and images.shape[1] == 1:
        return curves(images[:, 0], side)
    if images.dim() == 3:
        images = images[:, None]
    if images.shape[1] != 3:
        images = images[:, :1].expand(-1, 3, -1, -1)
    return enlarge(images.permute(0, 2, 3, 1).cpu().numpy(), side)


def curves(signals: Tensor, height: int) -> Pixels:
    """Draw signals ``(N, L)`` uint8 as black curves on light grey, ``(N, height, w, 3)``, 0 at the bottom and 255 at the top.

    A sample has a column of its own, or several if L is less than ``2 * height``, in which the curve leads from the sample
    before it, so that the picture shows every sample of a signal of any length.
    """
    heights = (255 - signals.cpu().long()) * (height - 1) // 255  # rows, from the top
    before = F.pad(heights, (1, 0), mode="replicate")[:, :-1] if heights.shape[1] > 1 else heights
    top, bottom = torch.minimum(heights, before)[:, None], torch.maximum(heights, before)[:, None]
    row = torch.arange(height)[:, None]
    inked = ((row >= top) & (row <= bottom)).numpy()  # (N, height, L)
    wide = inked.repeat(max(1, 2 * height // inked.shape[2]), 2)
    return np.where(wide[..., None], INK, PAPER).astype(np.uint8).repeat(3, -1)
