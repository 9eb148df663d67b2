"""How far is a layer from a convolution?"""

from dataclasses import dataclass

from torch import nn

from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.sample import Sample
from convexp.probes.structure.spatial_layers import spatial_layers


@dataclass(frozen=True)
class DistanceFromConv:
    """``‖W - P W‖ / ‖W‖`` in the Frobenius norm, W a layer's dense matrix, P W the nearest convolution with the skeleton's
    window.

    It is 0 for a convolution, and 1 for weights that are orthogonal to all convolutions. For a dense layer it measures both
    locality and sharing; ``sharing_index`` measures sharing alone, ``locality_index`` locality alone. Measured every few epochs
    (``probe_every``) it shows how a network approaches the convolutions or moves away from them (d'Ascoli et al. 2019,
    arXiv 1906.06766).

    Source: docs/design.md, section 1; P is ``convexp.layers.nearest_conv``.

    Numbers:
        distance (ratio): The distance over all layers, sqrt(sum ‖W - P W‖² / sum ‖W‖²); 0 is a convolution.
        LAYER/distance (ratio): ‖W - P W‖ / ‖W‖ of this layer.
        LAYER/random (ratio): The distance that independent random weights of this wiring have, sqrt(1 - E‖P W‖² / E‖W‖²).
    """

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure from the weights; of the images one is used, to find sizes."""
        numbers: dict[str, float] = {}
        residuals = total = 0.0
        found = spatial_layers(network, sample, linear=False)
        for name, layer in found.layers.items():
            residual, energy = layer.conv_residual()
            if energy == 0:
                continue
            residuals, total = residuals + residual, total + energy
            numbers[f"{name}/distance"] = (residual / energy) ** 0.5
            numbers[f"{name}/random"] = (1 - layer.random_conv_share()) ** 0.5
        if not numbers:
            raise NotApplicableError("all weights are zero")
        return Measurement({"distance": (residuals / total) ** 0.5, **numbers}, found.maps())
