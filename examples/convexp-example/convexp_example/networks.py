"""A network that is no skeleton: any callable that returns an ``nn.Module`` from images to outputs will do."""

from torch import Tensor, nn


class Residual(nn.Module):
    """A convolution, a residual block, the mean over the image, and a linear readout.

    Args:
        input_shape: Shape (C, H, W) of an image. convexp passes it, because an argument has this name.
        outputs: Number of outputs. convexp passes it, too.
        width: Number of channels.
    """

    def __init__(self, input_shape: tuple[int, ...], outputs: int, width: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv2d(input_shape[0], width, 3, padding=1)
        self.block = nn.Sequential(
            nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
        )
        self.readout = nn.Linear(width, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Return outputs ``(B, outputs)`` for normalised images ``(B, C, H, W)``."""
        x = self.stem(images)  # (B, width, H, W)
        return self.readout((x + self.block(x)).mean((2, 3)))
