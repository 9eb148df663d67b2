"""How much each layer notices that features are exchanged for synonyms, or lie elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from convexp.data.hierarchy import Derivation, Hierarchy
from convexp.data.rng import generator
from convexp.models.representations import representations
from convexp.probes.base import Measurement
from convexp.probes.behaviour.layer_invariance import Moments
from convexp.probes.errors import NotApplicableError
from convexp.probes.figures import line_plot
from convexp.probes.requirements import require_at_least, require_neighbours
from convexp.probes.sample import Sample


@dataclass(frozen=True)
class FeatureSensitivity:
    """Sensitivity of every layer to synonyms, S, and to displaced features, D, by level of a hierarchy; for ``data=srhm``.

    With h the representation of a layer, flattened into one vector, and x, y two different test images,

    - ``synonyms_K`` is ``S = E ‖h(x) - h(p x)‖² / E ‖h(x) - h(y)‖²``; p replaces every tuple of level K by another synonym of
      its feature, drawn uniformly. Level 1 are the tuples in the image; exchanging those of a higher level changes all below.
    - ``displaced_K`` is ``D = E ‖h(x) - h(τ x)‖² / E ‖h(x) - h(y)‖²``; τ draws the places of all features of level K anew, and
      changes no feature.

    Both keep the class. 0 is insensitive; at 1 it matters as much as exchanging the image. A layer that is the same for all
    images has neither number; without synonyms (m = 1) there is no S, and without empty positions (s0 = 0) no D.

    Source: Tomasini & Wyart 2024, arXiv 2404.10727, who write S_k,l and D_k,l for layer k and level l.

    Numbers:
        LAYER/synonyms_K (ratio): S, sensitivity to synonyms of level K; 0 is insensitive.
        LAYER/displaced_K (ratio): D, sensitivity to displaced features of level K; 0 is insensitive.
        n (images): number of images measured.

    Args:
        max_images: Number of test images to measure, from the first on, at least 2.
    """

    max_images: int

    def __post_init__(self) -> None:
        require_at_least(self, max_images=2)

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure all layers, with a forward pass of the images and two more for each level."""
        require_neighbours(sample)
        sample = sample.first(self.max_images)
        hierarchy, derivation = _derivation(sample)
        changes = _changed(hierarchy, derivation)
        spread: dict[str, Moments] = {}
        distance: dict[str, dict[str, float]] = {change: {} for change in changes}
        for rows in sample.slices():
            before = _units(network, sample.images[rows])
            for layer, units in before.items():
                spread.setdefault(layer, Moments(units)).add(units)
            for change, images in changes.items():
                for layer, units in _units(network, images[rows].to(sample.images.device)).items():
                    change_by_image = (units.double() - before[layer].double()).square().sum()
                    distance[change][layer] = distance[change].get(layer, 0) + float(change_by_image)
        between = {layer: 2 * float(moments.std().square().sum()) for layer, moments in spread.items()}  # E ‖h(x) - h(y)‖²
        numbers = {
            f"{layer}/{change}": distance[change][layer] / len(sample) / between[layer]
            for layer in spread
            for change in changes
            if between[layer] > 0
        }
        picture = _picture(numbers, hierarchy.levels, [layer for layer in spread if between[layer] > 0])
        return Measurement(numbers | {"n": float(len(sample))}, pictures=picture)


def _derivation(sample: Sample) -> tuple[Hierarchy, Derivation]:
    if sample.hierarchy is None:
        raise NotApplicableError("the data set was not made by a hierarchy of features; data=srhm was")
    if len(sample) < 2:
        raise NotApplicableError("needs two images or more, to compare with how much these differ")
    try:
        return sample.hierarchy, sample.hierarchy.decode(sample.images)
    except ValueError as reason:
        raise NotApplicableError(
            f"needs the images as the data set made them, on no canvas and not shifted: {reason}"
        ) from reason


def _changed(hierarchy: Hierarchy, derivation: Derivation) -> dict[str, Tensor]:
    """The images of each change, (N, v, length) uint8, by the name of its number."""
    found: dict[str, Tensor] = {}
    for level in range(1, hierarchy.levels + 1):
        if hierarchy.m > 1:
            drawn = generator("feature_sensitivity", "synonyms", level)
            found[f"synonyms_{level}"] = hierarchy.render(hierarchy.exchange_synonyms(derivation, level, drawn))
        if hierarchy.s0:
            drawn = generator("feature_sensitivity", "displaced", level)
            found[f"displaced_{level}"] = hierarchy.render(hierarchy.displace(derivation, level, drawn))
    if not found:
        raise NotApplicableError("this hierarchy has neither synonyms (m=1) nor empty positions (s0=0)")
    return found


def _units(network: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """The representation of every layer, (B, units) each."""
    return {name: value.flatten(1) for name, value in representations(network, images).items()}


def _picture(numbers: Mapping[str, float], levels: int, layers: list[str]) -> dict[str, Tensor]:
    """A line for each change over the layers, from the first to the output."""
    if not layers:
        return {}
    changes = [f"{kind}_{level}" for kind in ("synonyms", "displaced") for level in range(1, levels + 1)]
    lines = {c: [numbers[f"{layer}/{c}"] for layer in layers] for c in changes if f"{layers[0]}/{c}" in numbers}
    return {"by_layer": line_plot(lines, "layer, from the first to the output", "what each layer notices", "sensitivity")}
