"""MLP-Mixer (Tolstikhin et al. 2021, arXiv:2105.01601): dense layers over places and over channels, in turn."""

from torch import Tensor, nn

from convexp.models.patches import patches_across


class MixerBlock(nn.Module):
    """Mixes the patches, separately in each channel, then the channels, separately in each patch: ``(B, N, D) -> (B, N, D)``.

    Args:
        patches: Number N of patches.
        hidden_dim: Number D of channels. There are D / 2 hidden units over patches and 4 D over channels, as in the paper.
    """

    def __init__(self, patches: int, hidden_dim: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden_dim)
        self.tokens = _mlp(patches, max(1, hidden_dim // 2))
        self.norm2 = nn.LayerNorm(hidden_dim)
        self.channels = _mlp(hidden_dim, 4 * hidden_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Mix patches ``(B, N, D)``."""
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)  # (B, N, D)
        return x + self.channels(self.norm2(x))


class MlpMixer(nn.Module):
    """MLP-Mixer for images of any size.

    Args:
        input_shape: Shape of an image, (C, H, W).
        outputs: Number of outputs.
        patch_size: Side of the patches, in pixels. It has to divide the image.
        depth: Number of blocks.
        hidden_dim: Width: numbers that describe a patch.

    Raises:
        ValueError: If the patches do not fill the image.
    """

    def __init__(
        self, input_shape: tuple[int, ...], outputs: int, patch_size: int = 4, depth: int = 8, hidden_dim: int = 128
    ) -> None:
        super().__init__()
        height, width = patches_across(input_shape, patch_size)
        self.stem = nn.Conv2d(input_shape[0], hidden_dim, patch_size, patch_size)
        self.blocks = nn.Sequential(*(MixerBlock(height * width, hidden_dim) for _ in range(depth)))
        self.norm = nn.LayerNorm(hidden_dim)
        self.head = nn.Linear(hidden_dim, outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs ``(B, outputs)`` for normalised images ``(B, C, H, W)``."""
        x = self.stem(images).flatten(2).transpose(1, 2)  # (B, N, D)
        return self.head(self.norm(self.blocks(x)).mean(1))


def _mlp(features: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, features))
