"""How far is a layer from a convolution?"""

import math
from dataclasses import dataclass
from typing import cast

import torch

from convexp.layers import as_dense, nearest_conv
from convexp.layers.base import SpatialLayer
from convexp.layers.conv import ConvNd
from convexp.layers.convert import same_pixel, seen_pixels
from convexp.layers.dense import DenseNd
from convexp.layers.global_conv import GlobalConv2d
from convexp.layers.local import LocallyConnectedNd
from convexp.layers.low_rank import LowRankLocallyConnectedNd
from convexp.models import Network
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.sample import Sample
from convexp.probes.structure.taps import spatial_layers


@dataclass(frozen=True)
class DistanceFromConv:
    """``‖W - P W‖ / ‖W‖`` in the Frobenius norm, W a layer's dense matrix, P W the nearest convolution with the skeleton's
    window.

    0 is a convolution, 1 has nothing of one. For a dense layer it asks for both, locality and sharing; ``sharing_index`` asks
    for sharing alone, ``locality_index`` for locality alone. Measured every few epochs (``probe_every``) it shows the way of a
    network towards or away from the convolutions (d'Ascoli et al. 2019, arXiv 1906.06766).

    Source: ``convexp.layers.nearest_conv``.

    Numbers:
        distance (ratio): the root of the squares summed over all layers; 0 is a convolution.
        LAYER/distance (ratio): ‖W - P W‖ / ‖W‖ of this layer.
        LAYER/random (ratio): sqrt(1 - E‖P W‖² / E‖W‖²), where random weights are to be expected.
    """

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """From the weights alone."""
        numbers: dict[str, float] = {}
        apart = total = 0.0
        for name, layer in spatial_layers(network).items():
            residual, energy = residual_energy(layer)
            if energy == 0:
                continue
            apart, total = apart + residual, total + energy
            numbers[f"{name}/distance"] = (residual / energy) ** 0.5
            numbers[f"{name}/random"] = (1 - expected_share(layer)) ** 0.5
        if not numbers:
            raise NotApplicableError("all weights are zero")
        return Measurement({"distance": (apart / total) ** 0.5, **numbers})


def residual_energy(layer: SpatialLayer) -> tuple[float, float]:
    """``‖W - P W‖²`` and ``‖W‖²``."""
    if isinstance(layer, ConvNd):
        return 0.0, float(layer.weight.square().sum(dtype=torch.float64))
    if isinstance(layer, LocallyConnectedNd | LowRankLocallyConnectedNd):  # over the taps: the matrix could be too large
        same = same_pixel(seen_pixels(layer).to(layer.weight.device)).double()  # (L, T, T)
        kernels = layer.kernel.flatten(0, layer.dims - 1).flatten(3).double()  # (L, O, C/G, T)
        rest = kernels - nearest_conv(layer).weight.flatten(2).double()
        found = [torch.einsum("loct,ltu,locu->", k, same, k) for k in (rest, kernels)]
        return float(found[0].clamp(min=0)), float(found[1])
    dense = as_dense(layer) if isinstance(layer, GlobalConv2d) else cast(DenseNd, layer)
    rest = dense.weight - as_dense(nearest_conv(dense)).weight
    return tuple(float(w.square().sum(dtype=torch.float64)) for w in (rest, dense.weight))  # type: ignore[return-value]


def expected_share(layer: SpatialLayer) -> float:
    """``E‖P W‖² / E‖W‖²`` for independent weights of equal variance: of a local layer its taps', of a dense one its pixels'.

    With S[L] the taps of a location that meet the same pixel and N their sum (``nearest_conv``): ``tr(N⁺ sum S²) / tr N`` for
    a local layer, ``rank N`` over the number of pairs of location and pixel for a dense one.
    """
    seen = seen_pixels(layer)
    pairs = len(seen) * math.prod(layer.input_size)
    if isinstance(layer, ConvNd):
        return 1.0
    if isinstance(layer, GlobalConv2d):  # shared already: P keeps what the windows see
        return sum(len(row[row >= 0].unique()) for row in seen) / pairs
    same = same_pixel(seen).double()  # (L, T, T)
    total = same.sum(0)
    if isinstance(layer, DenseNd):
        return int(torch.linalg.matrix_rank(total, hermitian=True)) / pairs
    kept = torch.linalg.pinv(total, hermitian=True) @ (same @ same).sum(0)
    return float(kept.trace() / total.trace()) if total.any() else 1.0
