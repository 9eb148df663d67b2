"""ResNet-18 (He et al. 2016, arXiv:1512.03385), with a stem for small images and a width."""

from typing import Literal

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

Stem = Literal["cifar", "imagenet"]


class ResNet18(nn.Module):
    """ResNet-18 of torchvision's blocks; at a width of 64 with the stem ``imagenet`` it is ``torchvision.models.resnet18``.

    Args:
        input_shape: Shape of an image, (C, H, W).
        outputs: Number of outputs.
        stem: ``cifar``: a 3x3 convolution of stride 1; ``imagenet``: a 7x7 convolution of stride 2 and a max-pool of stride 2,
            which leaves images of 32x32 pixels 8x8 units.
        width: Channels of the first group of blocks; the others have 2, 4 and 8 times as many.
    """

    def __init__(self, input_shape: tuple[int, ...], outputs: int, stem: Stem = "cifar", width: int = 64) -> None:
        super().__init__()
        large = stem == "imagenet"
        self.conv1 = nn.Conv2d(input_shape[0], width, 7 if large else 3, 2 if large else 1, 3 if large else 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if large else nn.Identity()
        self.layer1 = _group(width, width, 1)
        self.layer2 = _group(width, 2 * width, 2)
        self.layer3 = _group(2 * width, 4 * width, 2)
        self.layer4 = _group(4 * width, 8 * width, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * width, outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs ``(B, outputs)`` for normalised images ``(B, C, H, W)``."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))  # (B, width, H', W')
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (B, 8 * width, H' / 8, W' / 8)
        return self.fc(self.avgpool(x).flatten(1))


def _group(channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """Two blocks, the first with ``stride``; its shortcut is a 1x1 convolution where the shape changes."""
    shortcut = None
    if stride != 1 or channels != out_channels:
        shortcut = nn.Sequential(nn.Conv2d(channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))
    return nn.Sequential(
        BasicBlock(channels, out_channels, stride, shortcut),
        BasicBlock(out_channels, out_channels),
    )
