"""Vision transformer (Dosovitskiy et al. 2021, arXiv:2010.11929) for images of any size and number of channels."""

import math

from torch import nn
from torchvision.models.vision_transformer import VisionTransformer

from convexp.models.patches import patches_across


def vision_transformer(
    input_shape: tuple[int, ...],
    outputs: int,
    patch_size: int = 4,
    layers: int = 12,
    heads: int = 3,
    hidden_dim: int = 192,
    dropout: float = 0.0,
) -> VisionTransformer:
    """Return torchvision's vision transformer for square images, with hidden units of four times its width.

    Args:
        input_shape: Shape of an image, (C, H, W).
        outputs: Number of outputs.
        patch_size: Side of the patches, in pixels. It has to divide the image.
        layers: Number of layers of the encoder.
        heads: Number of heads of the attention. It has to divide ``hidden_dim``.
        hidden_dim: Width: numbers that describe a patch.
        dropout: Share of the units that are dropped in training.

    Raises:
        ValueError: If the image is not square or a number does not divide the other.
    """
    height, width = patches_across(input_shape, patch_size)
    if height != width:
        raise ValueError(f"takes square images; these have {'x'.join(map(str, input_shape[1:]))} pixels")
    if hidden_dim % heads:
        raise ValueError(f"hidden_dim={hidden_dim}: should be a multiple of heads={heads}")
    network = VisionTransformer(
        image_size=input_shape[1],
        patch_size=patch_size,
        num_layers=layers,
        num_heads=heads,
        hidden_dim=hidden_dim,
        mlp_dim=4 * hidden_dim,
        dropout=dropout,
        num_classes=outputs,
    )
    if input_shape[0] != 3:  # torchvision's takes three channels
        network.conv_proj = _projection(input_shape[0], hidden_dim, patch_size)
    return network


def _projection(channels: int, hidden_dim: int, patch_size: int) -> nn.Conv2d:
    """The layer that makes each patch a vector, its weights drawn as torchvision draws them for three channels."""
    layer = nn.Conv2d(channels, hidden_dim, patch_size, patch_size)
    nn.init.trunc_normal_(layer.weight, std=1 / math.sqrt(channels * patch_size**2))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
