"""On how many pixels do the weights of a unit lie?"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convexp.layers.taps import Taps
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.sample import Sample
from convexp.probes.structure.spatial_layers import spatial_layers


@dataclass(frozen=True)
class InverseParticipationRatio:
    """``IPR = sum_p e_p² / (sum_p e_p)²`` of every unit, with ``e_p = sum_c w_cp²`` the energy of its weights on pixel p.

    For one input channel it is ``sum w⁴ / (sum w²)²``. It is 1 if all weights lie on one pixel, and 1/n if they have the same
    energy on each of n pixels. Independent normal weights have the expectation ``(C + 2) / (n C + 2)``, C the number of input
    channels. The n pixels are those that a unit may see: all of them in a dense layer, those of its window in a local one.
    There, a pixel of a border that repeats the image (reflect, replicate, circular) is one of its own, as its weights are.
    Weights that meet only a border of zeros do not count, and units without weights are left out. In a convolution a unit
    stands for all places of its channel.

    Map: ``units``, the IPR of every unit by layer, ``(locations, channels)``, with null for a unit without weights.

    Source: Ingrosso & Goldt 2022, arXiv 2202.00565, and Lufkin et al. 2024, arXiv 2501.17284, for one channel.

    Numbers:
        LAYER/mean (ratio): mean over the units; 1 is one pixel, and ``uniform`` all pixels alike.
        LAYER/max (ratio): the largest of all units.
        LAYER/uniform (ratio): mean of 1/n, what weights of the same energy everywhere have.
        LAYER/random (ratio): mean of what independent normal weights have.
    """

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure from the weights; of the images one is used, to find sizes."""
        numbers: dict[str, float] = {}
        units: dict[str, list[list[float]]] = {}
        found = spatial_layers(network, sample)
        for name, layer in found.layers.items():
            taps, channels = layer.taps(), layer.out_channels
            ratio, pixels = participation(taps, channels)
            known = ratio[~ratio.isnan()]
            if not len(known):
                continue
            inputs = taps.weights.shape[2] // channels
            units[name] = ratio.tolist()
            numbers |= {
                f"{name}/mean": float(known.mean()),
                f"{name}/max": float(known.max()),
                f"{name}/uniform": float((1 / pixels).mean()),
                f"{name}/random": float(((inputs + 2) / (pixels * inputs + 2)).mean()),
            }
        if not numbers:
            raise NotApplicableError("all weights are zero")
        return Measurement(numbers, {"units": _without_nan(units)} | found.maps())


def participation(taps: Taps, channels: int) -> tuple[Tensor, Tensor]:
    """Return the ratio of every unit, ``(L, O)`` float64, NaN without weights, and the pixels seen at a location, ``(L',)``.

    L is 1 if all locations have the same kernel, and L' the number of locations that see any pixel.
    """
    seen, weights = taps.seen, taps.weights
    if weights.stride(0) == 0:  # those of one location stand for all
        seen, weights = seen.any(0)[None], weights[:1]
    ratios: list[Tensor] = []
    for own, row in zip(seen, weights, strict=True):  # a copy of all weights in double precision could be too large
        energy = (row.double() * own[:, None]).square().unflatten(1, (channels, -1)).sum(2)  # (T, O)
        ratios.append(energy.square().sum(0) / energy.sum(0).square())
    pixels = seen.sum(1).double()
    return torch.stack(ratios), pixels[pixels > 0]


def _without_nan(units: dict[str, list[list[float]]]) -> dict[str, list[list[float | None]]]:
    return {name: [[None if value != value else value for value in row] for row in rows] for name, rows in units.items()}
