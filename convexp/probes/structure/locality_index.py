"""How local are the weights that were learned?"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from convexp.geometry import extent
from convexp.probes.base import Measurement
from convexp.probes.figures import line_plot
from convexp.probes.sample import Sample
from convexp.probes.structure.spatial_layers import spatial_layers


@dataclass(frozen=True)
class LocalityIndex:
    """``E(Δ) = sum_{|a_i| <= Δ} V²  /  sum V²``: the share of a layer's weight energy near the units' centres, for all Δ.

    V[o,i,j,c,a,b] is the weight of unit (o,i,j) on the pixel at (a, b) from its centre, the middle of the window that the
    skeleton describes. Weights that meet only a border of zeros do not count. Random weights (equally distributed, mean 0)
    have on average the share of the weights that lie within Δ.

    Maps, by layer: ``delta``, ``share`` and ``random`` for every Δ at which a weight lies; Δ in pixels, shares from 0 to 1.

    Source: docs/design.md, section 1.

    Numbers:
        LAYER/share (share): E(Δ) at the reach of the kernel, ``Δ = d (k-1) / 2``; 1 for local and conv.
        LAYER/random (share): The share that random weights of this wiring have there.
    """

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure from the weights; of the images one is used, to find sizes."""
        numbers: dict[str, float] = {}
        maps: dict[str, Any] = {}
        lines: dict[str, list[float]] = {}
        at: dict[str, list[float]] = {}
        found = spatial_layers(network, sample)
        for name, layer in found.layers.items():
            taps = layer.taps()
            reach = max((extent(k, d) - 1) / 2 for k, d in zip(layer.kernel_size, layer.dilation, strict=True))
            delta, share, random = energy_within(taps.energy(), taps.distance(), taps.seen)
            within = int((delta <= reach).sum()) - 1
            numbers |= {f"{name}/share": float(share[within]), f"{name}/random": float(random[within])}
            maps[name] = {"delta": delta.tolist(), "share": share.tolist(), "random": random.tolist()}
            lines |= {name: share.tolist(), f"{name}, random": random.tolist()}
            at |= dict.fromkeys((name, f"{name}, random"), delta.tolist())
        picture = line_plot(lines, "distance Δ (pixels)", "weight energy near the unit", "share", at)
        return Measurement(numbers, maps | found.maps(), {"energy": picture})


def energy_within(energy: Tensor, distance: Tensor, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the distances Δ, the share of the energy within each, and the share of the weights: (n,) each.

    Args:
        energy: Squared weights by location and tap, (L, T).
        distance: Distance of every tap from its location, (L, T), in pixels.
        seen: Whether a tap meets data, (L, T) bool.
    """
    delta, index = distance[seen].unique(return_inverse=True)  # ascending
    by_ring = torch.zeros(2, len(delta), dtype=torch.float64, device=energy.device)
    by_ring[0].index_add_(0, index, energy[seen])
    by_ring[1].index_add_(0, index, torch.ones_like(energy[seen]))
    total = by_ring.sum(1, keepdim=True)
    share, random = by_ring.cumsum(1) / total.clamp(min=torch.finfo(torch.float64).tiny)
    return delta, share, random
