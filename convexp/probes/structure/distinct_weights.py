"""How many different weights do the connections of a layer have?"""

from dataclasses import dataclass

from torch import nn

from convexp.layers.taps import Taps
from convexp.probes.base import Measurement
from convexp.probes.sample import Sample
from convexp.probes.structure.spatial_layers import spatial_layers


@dataclass(frozen=True)
class DistinctWeights:
    """``share = d / n``: the n connections of a layer, from a unit to a number that it sees, have d different weights.

    It is 1 if no two connections have the same weight. Of a convolution with L locations, a window within the image and
    different weights in its kernel it is 1/L. Unlike the sharing index it does not ask which connections share a weight.
    Weights count as the same only if they are exactly equal, as a proximal step leaves them (``optimizer=weight_sharing``).
    Connections to a border of zeros do not count.

    Source: what the penalty of Shakerinava et al. 2024, arXiv 2311.03096, makes smaller; the measure is ours.

    Numbers:
        LAYER/share (share): different weights for each connection; 1 is no sharing.
    """

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Count the weights; of the images one is used, to find sizes."""
        found = spatial_layers(network, sample)
        return Measurement(
            {f"{name}/share": distinct_share(layer.taps()) for name, layer in found.layers.items()}, found.maps()
        )


def distinct_share(taps: Taps) -> float:
    """Return the number of different weights that meet data, over the number of connections."""
    seen, weights = taps.seen, taps.weights
    connections = int(seen.sum()) * weights.shape[2]
    if weights.stride(0) == 0:  # those of one location stand for all
        seen, weights = seen.any(0)[None], weights[:1]
    return len(weights[seen].unique()) / connections
