"""Images as tiles of a picture."""

from torch import Tensor

from convexp.pictures.colour_bar import Pixels
from convexp.pictures.sheet import enlarge


def image_tiles(images: Tensor, side: int) -> Pixels:
    """Return images ``(N, C, H, W)`` uint8, or signals ``(N, C, L)``, as tiles of about ``side`` pixels, ``(N, h, w, 3)``.

    Three channels are colours; of others the first is shown, in grey. A signal is drawn as a band.
    """
    if images.dim() == 3:
        images = images[:, :, None].expand(-1, -1, max(1, images.shape[2] // 8), -1)
    if images.shape[1] != 3:
        images = images[:, :1].expand(-1, 3, -1, -1)
    return enlarge(images.permute(0, 2, 3, 1).cpu().numpy(), side)
