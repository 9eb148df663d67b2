"""The equivariance error of every feature map, and of the answer, under shifts by whole pixels."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from convexp.geometry import Size
from convexp.geometry.placement import ShiftProtocol
from convexp.geometry.skeleton import ReceptiveField
from convexp.models.representations import OUTPUT, Layout, layout, maps_and_logits
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import other_class_indices
from convexp.probes.behaviour.shift_features import shift_features
from convexp.probes.behaviour.shift_grid import ShiftGrid
from convexp.probes.figures import line_plot
from convexp.probes.predict import predict
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample

ANSWER = ("logits", "softmax")  # what is compared with itself, for it should not change


@dataclass(frozen=True)
class Equivariance:
    """Relative error ``E‖f(T_δ x) - T_{δ/s} f(x)‖ / E‖f(x)‖`` of every feature map f, for every δ up to max_shift.

    s is the total stride of the map. ``T_{δ/s}`` shifts the map by whole units, with linear interpolation for the rest. Zeros
    enter the map, or with ``circular`` the units that left it.

    ``full`` is over all units. ``interior`` is over the units whose receptive fields, before and after the shift, lie in the
    part of the image that is visible before and after it, so that neither the border nor pixels that entered contribute. It is
    0 for shared weights and whole δ/s. Both of its norms are over these units, the lower one of ``T_{δ/s} f(x)``. A dense layer
    of the skeleton is measured at the same units, although each of its units sees the whole image. Maps that depend on the
    whole image by a normalisation or a gate have no ``interior``.

    The feature maps are the stages of a skeleton, and in any other network the layers that are looked at
    (``convexp.models.representations``) whose stride is known; ``not_measured`` has the reasons for the others.

    The answer should stay as it is. Its error is ``E‖f(T_δ x) - f(x)‖ / E‖f(x)‖``, of the ``logits`` and of their ``softmax``,
    and an ensemble has no other: its ``logits`` are a mean over its members if outputs are averaged, its ``softmax`` if
    probabilities are. ``E‖f(T_δ x) - f(x)‖`` of a mean is at most the mean of its members', since norms are convex. The
    relative error has no such bound, since ``E‖f(x)‖`` is smaller, too. If members err independently around an invariant
    mean, the error falls as ``1 / sqrt(members)``.

    Numbers are means over all δ except 0, and are dimensionless: 0 is exact, and unrelated maps of equal norm have about 1.4.
    Layers whose output is zero have none. The maps of each layer are ``full``, ``interior`` (null if there are no such units)
    and ``full_radius`` (mean over all shifts with max |δ_i| = r).

    Source: Lenc & Vedaldi 2015, arXiv 1411.5908; docs/design.md, section 1.

    Numbers:
        logits/full (ratio): error of the logits, which should stay as they are; 0 is exactly invariant.
        softmax/full (ratio): error of the probabilities of the classes.
        LAYER/full (ratio): error over all units; 0 is exact, and unrelated maps of equal norm have about 1.4.
        LAYER/full_correct (ratio): full, over the correctly classified images.
        LAYER/full_control (ratio): full, with T_δ of an image of another class instead of T_δ x.
        LAYER/interior (ratio): error over the units to which neither the border nor pixels that entered contribute.
        accuracy (share): unshifted images that are classified correctly.
        n (images): number of images measured.

    Args:
        max_shift: Largest shift in each direction in pixels, at least 1.
        max_images: Number of test images to measure, from the first on.
        protocol: How images are shifted: ``zero_fill``, ``circular`` or ``crop``.
    """

    max_shift: int
    max_images: int
    protocol: ShiftProtocol = "zero_fill"

    def __post_init__(self) -> None:
        require_at_least(self, max_shift=1, max_images=1)

    needs_scores = True

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure the error of every feature map and of the answer.

        It takes one forward pass of the images for each shift, one more for the control, and two without a shift.
        """
        sample = sample.first(self.max_images)
        placed = layout(network, sample.images)
        grid, different = ShiftGrid(self.max_shift, len(sample.size)), other_class_indices(sample.labels)
        correct = (predict(network, sample) == sample.labels).cpu()
        everything = torch.ones_like(correct)
        norms = self._norms(network, placed, sample, grid, None if different is None else sample.rows(different))
        shifted = grid.distance > 0
        numbers: dict[str, float] = {}
        maps_of_layers: dict[str, object] = {}
        lines: dict[str, list[float]] = {}
        for name, layer in norms.items():
            full, interior = layer.relative("full", everything), layer.relative("interior", everything)
            found = {"full": full, "full_correct": layer.relative("full", correct), "interior": interior}
            if different is not None:
                found["full_control"] = layer.relative("control", everything)
                lines[f"{name}, another class"] = grid.radial(found["full_control"])
            for measure, values in found.items():
                known = values[shifted & values.isfinite()]
                if len(known):
                    numbers[f"{name}/{measure}"] = float(known.mean())
            lines[name] = grid.radial(full)
            maps_of_layers[name] = {
                "full": grid.map(full).tolist(),
                "interior": np.where(interior.isfinite(), interior, np.array(None)).reshape(grid.shape).tolist(),
                "full_radius": lines[name],
            }
        if others := {layer: reason for layer, reason in placed.others.items() if layer != OUTPUT}:
            maps_of_layers["not_measured"] = others
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(len(sample))}
        picture = line_plot(lines, "shift (pixels)", "relative equivariance error", "‖f(Tx) - Tf(x)‖ / ‖f(x)‖")
        return Measurement(numbers, maps_of_layers, {"error": picture}, self.protocol)

    def _norms(
        self, network: nn.Module, placed: Layout, sample: Sample, grid: ShiftGrid, others: Sample | None
    ) -> dict[str, "_Norms"]:
        """Return the norms of differences and of the values themselves, for each layer and for the answer."""
        found = {name: _Norms(len(grid), len(sample)) for name in (*placed.maps, *ANSWER)}
        for rows in sample.slices():
            batch, another = sample.rows(rows), None if others is None else others.rows(rows)
            bases = _maps_and_answer(network, batch.images, placed.maps)
            for index, shift in enumerate(grid.track("equivariance")):
                moved = _maps_and_answer(network, batch.shifted(shift, self.protocol), placed.maps)
                control = {}
                if another is not None:
                    control = _maps_and_answer(network, another.shifted(shift, self.protocol), placed.maps)
                for name, base in bases.items():
                    norms, expected = found[name], base
                    if name not in ANSWER:
                        position = placed.maps[name]
                        steps = tuple(delta / stride for delta, stride in zip(shift, position.stride, strict=True))
                        expected = shift_features(base, steps, self.protocol)
                        if not position.whole:
                            mask = interior_units(base, position.fields, shift, sample.size)
                            norms.record("interior", index, rows, (moved[name] - expected) * mask, expected * mask)
                    norms.record("full", index, rows, moved[name] - expected, base)
                    if name in control:
                        norms.record("control", index, rows, control[name] - expected, base)
        return found


def _maps_and_answer(network: nn.Module, images: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
    """Return the feature maps of the given names, the logits and the probabilities of the classes."""
    found = maps_and_logits(network, images, names)
    return found | {"softmax": found["logits"].softmax(1)}


class _Norms:
    """Norms of a map for each shift and image, by what is compared: ``full``, ``interior`` or ``control``.

    Attributes:
        parts: Norms of the difference, and of what it is relative to, ``(2, S, N)`` float64 each.
    """

    def __init__(self, shifts: int, images: int) -> None:
        self.parts = {kind: torch.zeros(2, shifts, images, dtype=torch.float64) for kind in ("full", "interior", "control")}

    def record(self, kind: str, shift: int, rows: slice, difference: Tensor, scale: Tensor) -> None:
        """Store the norms of a batch of images for one shift."""
        for part, values in enumerate((difference, scale)):
            self.parts[kind][part, shift, rows] = values.flatten(1).norm(dim=1).double().cpu()

    def relative(self, kind: str, images: Tensor) -> Tensor:
        """Return the ratio of both means over the selected images, ``(S,)``, with NaN if the second is 0."""
        above, below = self.parts[kind][:, :, images].sum(2)
        return above / below.where(below > 0, torch.nan)


def interior_units(features: Tensor, fields: tuple[ReceptiveField, ...], shift: Size, size: Size) -> Tensor:
    """Return which units see visible pixels only, before and after the shift, as bool of the size of the map.

    Args:
        features: The map, ``(B, C, *units)``.
        fields: Receptive fields of the units, per dimension.
        shift: Shift of the image, in pixels.
        size: Size of the image, in pixels.
    """
    inside = torch.ones(tuple(features.shape[2:]), dtype=torch.bool, device=features.device)
    for dim, (field, delta, n) in enumerate(zip(fields, shift, size, strict=True)):
        units = features.shape[2 + dim]
        first = field.first + field.stride * torch.arange(units, device=features.device)
        here = (first >= max(0, delta)) & (first + field.size <= min(n, n + delta))
        before = ((first >= 0) & (first + field.size <= n)).double()[None, None]  # (1, 1, units)
        here &= shift_features(before, (delta / field.stride,), "zero_fill")[0, 0] == 1
        inside &= here.reshape(tuple(units if d == dim else 1 for d in range(len(size))))
    return inside
