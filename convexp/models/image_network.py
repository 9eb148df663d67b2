"""Any network of images, with the normalisation of its input in front."""

from collections.abc import Sequence

from torch import Tensor, nn


class ImageNetwork(nn.Module):
    """Maps images ``(B, C, H, W)`` with values of 0 to 255 to the outputs ``(B, outputs)`` of a network of normalised images.

    Args:
        normalize: Normalises the images, a ``convexp.models.parts.Normalize`` in a run; saved with the weights.
        network: The network, ``(B, C', H, W) -> (B, outputs)``.
        layers: Names of the modules of ``network`` that probes of layers look at; None for its direct children.
        channels: Number C' of channels that the network takes. Images of one channel are repeated; None for as many as the
            images have.

    Attributes:
        layers: Names of the modules of ``network`` that probes of layers look at, as in its ``named_modules``.

    Raises:
        ValueError: If ``network`` has no module of a name in ``layers``.
    """

    def __init__(
        self, normalize: nn.Module, network: nn.Module, layers: Sequence[str] | None = None, channels: int | None = None
    ) -> None:
        super().__init__()
        self.normalize = normalize
        self.network = network
        self.layers = tuple(layers) if layers is not None else tuple(name for name, _ in network.named_children())
        self.channels = channels
        known = dict(network.named_modules())
        if unknown := [name for name in self.layers if name not in known or not name]:
            children = ", ".join(name for name, _ in network.named_children())
            raise ValueError(f"layers={list(self.layers)}: there is no module {unknown[0]!r}; its children are {children}")

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs ``(B, outputs)`` for images ``(B, C, H, W)``, uint8 or float, with values of 0 to 255."""
        x = self.normalize(images)
        if self.channels is not None:
            x = x.expand(-1, self.channels, *x.shape[2:])  # (B, C', H, W)
        return self.network(x)
