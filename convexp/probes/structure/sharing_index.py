"""How much do the weights of different places resemble each other?"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.layers.base import SpatialLayer
from convexp.layers.taps import Taps, seen_pixels
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.sample import Sample
from convexp.probes.structure.spatial_layers import spatial_layers

DISTANCES = (1, 4)  # cells between the kernels that are compared (Ott et al. 2020)


@dataclass(frozen=True)
class SharingIndex:
    """How translation-invariant a layer's weights became, by three measures.

    1. ``index = (ρ - ρ₀) / (1 - ρ₀)``, ``ρ = ‖P W‖² / ‖W‖²``, P the orthogonal projection onto weights that depend on the
       offset from unit to pixel alone (their mean over all places with that offset): for a local layer the convolutions, for a
       dense one the global convolutions. ρ₀, the share of the dimensions that P keeps, is the expectation of ρ for random
       (isotropic) weights: index 0 is random, 1 a convolution. Weights that meet only a border of zeros do not count.
    2. ``cosine_r``, ``l2_r``: mean cosine and distance of the kernels of an output channel exactly r = 1 or 4 cells apart along
       a dimension, divided by the norm of all kernels (Ott et al. 2020, arXiv 1909.11483). Those at a border are left out.
    3. ``snr = mean_j mean_i(w_ij)² / var_i(w_ij)``, j the weights of a kernel, i the locations where it is used (n - 1):
       infinite, and left out, if one is the same everywhere (Pogodin et al. 2021, arXiv 2106.13031).

    Measures 2 and 3 look at the weights in the window, for a dense layer at those of its nearest local layer. For convolutions,
    which share by construction, only ``index`` = 1 is recorded.

    Source: docs/design.md, section 1 (``index``); Ott et al. 2020, arXiv 1909.11483 (``cosine_r``, ``l2_r``); Pogodin et al.
    2021, arXiv 2106.13031 (``snr``).

    Numbers:
        LAYER/index (index): 0 as random weights, 1 a convolution.
        LAYER/rho (share): The share ρ of the weights' energy that depends on the offset alone.
        LAYER/random (share): The share ρ₀ that random weights have.
        LAYER/cosine_R (cosine): Mean cosine of kernels R cells apart; 1 is shared.
        LAYER/l2_R (ratio): Mean distance of kernels R cells apart over the norm of all kernels; 0 is shared.
        LAYER/snr (ratio): Mean over the weights of signal to noise over the locations; large is shared.
    """

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure from the weights; of the images one is used, to find sizes."""
        numbers: dict[str, float] = {}
        found = spatial_layers(network, sample, linear=False)
        for name, layer in found.layers.items():
            if layer.shares_weights:
                numbers[f"{name}/index"] = 1.0
                continue
            kernels = located_kernels(layer)
            parts = (projection_shares(layer.taps()), likeness(*kernels), signal_to_noise(*kernels))
            for key, value in (item for part in parts for item in part.items()):
                numbers[f"{name}/{key}"] = value
        if not numbers:
            raise NotApplicableError("no layer has more than one location or any weights")
        return Measurement(numbers, found.maps())


def projection_shares(taps: Taps) -> dict[str, float]:
    """Return ``index``, ``rho`` and ``random`` of a layer; nothing if no two weights have the same offset, or all are zero."""
    weights, seen = taps.weights, taps.seen
    offsets, group = taps.offsets[seen].unique(dim=0, return_inverse=True)  # (K, D), (seen taps,)
    sums = torch.zeros(len(offsets), weights.shape[2], dtype=torch.float64, device=weights.device)
    counts = torch.zeros(len(offsets), dtype=torch.float64, device=weights.device)
    start = 0
    for location in range(len(seen)):  # a copy of all weights in double precision could be too large
        row = weights[location, seen[location]].double()
        own = group[start : (start := start + len(row))]
        sums.index_add_(0, own, row)
        counts.index_add_(0, own, torch.ones(len(own), dtype=torch.float64, device=weights.device))
    energy = float(taps.energy().sum())
    if len(offsets) == int(seen.sum()) or energy == 0:
        return {}
    random = len(offsets) / int(seen.sum())
    rho = float((sums.square().sum(1) / counts).sum()) / energy
    return {"index": (rho - random) / (1 - random), "rho": rho, "random": random}


def located_kernels(layer: SpatialLayer) -> tuple[Tensor, Tensor]:
    """Return the kernels (*locations, O, C/G, T), float64, and whether their taps meet data (*locations, T).

    A weight whose tap meets no data is 0.
    """
    seen = (seen_pixels(layer) >= 0).unflatten(0, layer.output_size).to(layer.weight.device)
    return layer.local_kernel().detach().flatten(layer.dims + 2).double() * seen[..., None, None, :], seen


def likeness(kernels: Tensor, seen: Tensor) -> dict[str, float]:
    """Return ``cosine_r`` and ``l2_r`` for every r that fits, from what ``located_kernels`` returns."""
    inner = seen.all(-1)  # (*locations,)
    kernels = kernels.flatten(-2) / kernels.norm().clamp(min=torch.finfo(kernels.dtype).tiny)  # (*locations, O, weights)
    found: dict[str, float] = {}
    for r in DISTANCES:
        cosines: list[Tensor] = []
        distances: list[Tensor] = []
        for dim, n in enumerate(inner.shape):
            if n <= r:
                continue
            both = inner.narrow(dim, 0, n - r) & inner.narrow(dim, r, n - r)
            here, there = kernels.narrow(dim, 0, n - r)[both], kernels.narrow(dim, r, n - r)[both]  # (pairs, O, weights)
            cosines.append(F.cosine_similarity(here, there, dim=2).flatten())
            distances.append((here - there).norm(dim=2).flatten())
        if cosines and len(torch.cat(cosines)):
            found |= {f"cosine_{r}": float(torch.cat(cosines).mean()), f"l2_{r}": float(torch.cat(distances).mean())}
    return found


def signal_to_noise(kernels: Tensor, seen: Tensor) -> dict[str, float]:
    """Return ``snr``, or nothing where it is infinite, from what ``located_kernels`` returns."""
    weights = kernels.flatten(0, -4)  # (L, O, C/G, T)
    used = seen.flatten(0, -2)[:, None, None].double()  # (L, 1, 1, T)
    count = used.sum(0)
    mean = weights.sum(0) / count.clamp(min=1)
    variance = ((weights - mean).square() * used).sum(0) / (count - 1).clamp(min=1)
    ratio = (mean.square() / variance)[(count > 1).expand_as(mean)]
    return {"snr": float(ratio.mean())} if len(ratio) and bool(ratio.isfinite().all()) else {}
