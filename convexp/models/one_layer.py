"""A single linear layer as a network: its units are the outputs."""

from typing import Any, Literal

from torch import Tensor, nn

from convexp.layers import Conv1d, Dense1d, LocallyConnected1d, LowRankLocallyConnected1d

Kind = Literal["dense", "local", "low_rank_local", "conv"]


class OneLayer(nn.Module):
    """Computes ``h[i]``, one channel of a layer on a ring, from signals of one channel: ``(B, 1, L) -> (B, L)``.

    Args:
        input_shape: Shape of a signal, (1, L).
        outputs: Number of outputs, L.
        kind: The layer.
        kernel_size: Number of taps, odd.
        rank: Of ``low_rank_local``: number of kernels that all locations share.

    Raises:
        ValueError: If there is another number of outputs or of channels.
    """

    def __init__(
        self, input_shape: tuple[int, ...], outputs: int, kind: Kind = "conv", kernel_size: int = 5, rank: int = 1
    ) -> None:
        super().__init__()
        if input_shape != (1, outputs):
            raise ValueError(f"outputs={outputs}: should be the length of signals of one channel, which have {input_shape}")
        self.layer = ring_layer(kind, outputs, kernel_size, rank)

    def forward(self, x: Tensor) -> Tensor:
        """Return the units ``(B, L)`` for normalised signals ``(B, 1, L)``."""
        return self.layer(x).flatten(1)


def ring_layer(kind: Kind, length: int, kernel_size: int, rank: int) -> nn.Module:
    """Make a layer of one channel with as many units as pixels, and a circular border.

    Raises:
        ValueError: If there is no such layer.
    """
    geometry: dict[str, Any] = {"kernel_size": kernel_size, "input_size": length, "padding": "same", "padding_mode": "circular"}
    if kind == "low_rank_local":
        return LowRankLocallyConnected1d(1, 1, **geometry, rank=rank)
    layers: dict[str, type[nn.Module]] = {"dense": Dense1d, "local": LocallyConnected1d, "conv": Conv1d}
    if kind not in layers:
        raise ValueError(f"kind={kind}: should be one of {', '.join([*layers, 'low_rank_local'])}")
    return layers[kind](1, 1, **geometry)
