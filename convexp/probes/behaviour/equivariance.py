"""Does a layer's map move along when the image moves?"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.geometry.placement import ShiftProtocol
from convexp.geometry.skeleton import ReceptiveField
from convexp.models import Network
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import other_class_indices
from convexp.probes.behaviour.shift_features import shift_features
from convexp.probes.behaviour.shift_grid import ShiftGrid
from convexp.probes.figures import line_plot
from convexp.probes.predict import predict
from convexp.probes.requirements import require_at_least, require_stages
from convexp.probes.sample import Sample


@dataclass(frozen=True)
class Equivariance:
    """``E‖f(T_δ x) - T_{δ/s} f(x)‖ / E‖f(x)‖`` of every stage's output f, for every δ up to max_shift; s its total stride.

    ``T_{δ/s}`` moves the map by whole units, the fraction of one by linear interpolation; what comes in is zero (circular: what
    left). ``full`` is over all units. ``interior`` is over those whose windows, before and after the shift, lie within what of
    the image is there before and after it: no border and no filled-in pixel has a part in them (0 for any shared weights and
    whole δ/s); there both norms, the lower one of ``T_{δ/s} f(x)``, are over these units. A dense layer is measured at the same
    units, though it sees everything.

    Numbers are means over all δ but 0. What is nothing but zeros has no error and is left out. Dimensionless: 0 is exact, about
    1.4 means unrelated maps of equal norm. Maps, by stage: ``full``, ``interior`` (null where there are no such units) and
    ``full_radius`` (mean over max |δ_i| = r). Source: docs/design.md, section 1; Lenc & Vedaldi 2015, arXiv 1411.5908.

    Numbers:
        LAYER/full (ratio): error over all units; 0 is exact, 1.4 unrelated maps of equal norm.
        LAYER/full_correct (ratio): full, over the correctly classified images.
        LAYER/full_control (ratio): full, with T_δ of an image of another class in the place of T_δ x.
        LAYER/interior (ratio): error over the units that neither border nor filled-in pixels have a part in.
        accuracy (share): classified correctly as they are.
        n (images): looked at.

    Args:
        max_shift: pixels, 1 or more.
        max_images: the first so many test images.
        protocol: zero_fill, circular or crop.
    """

    max_shift: int
    max_images: int
    protocol: ShiftProtocol = "zero_fill"

    def __post_init__(self) -> None:
        require_at_least(self, max_shift=1, max_images=1)

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """One forward pass of the images per shift, one more for the control, and two without a shift."""
        require_stages(network)
        sample = sample.first(self.max_images)
        grid, different = ShiftGrid(self.max_shift, len(sample.size)), other_class_indices(sample.labels)
        correct = (predict(network, sample) == sample.labels).cpu()
        everything = torch.ones_like(correct)
        norms = self._norms(network, sample, grid, None if different is None else sample.rows(different))
        shifted = grid.distance > 0
        numbers: dict[str, float] = {}
        maps: dict[str, object] = {}
        lines: dict[str, list[float]] = {}
        for stage, parts in enumerate(norms):
            name = f"stages.{stage}"
            full, interior = parts.relative("full", everything), parts.relative("interior", everything)
            found = {"full": full, "full_correct": parts.relative("full", correct), "interior": interior}
            if different is not None:
                found["full_control"] = parts.relative("control", everything)
                lines[f"{name}, another class"] = grid.radial(found["full_control"])
            for measure, values in found.items():
                known = values[shifted & values.isfinite()]
                if len(known):
                    numbers[f"{name}/{measure}"] = float(known.mean())
            lines[name] = grid.radial(full)
            maps[name] = {
                "full": grid.map(full).tolist(),
                "interior": np.where(interior.isfinite(), interior, np.array(None)).reshape(grid.shape).tolist(),
                "full_radius": lines[name],
            }
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(len(sample))}
        picture = line_plot(lines, "shift (pixels)", "relative equivariance error", "‖f(Tx) - Tf(x)‖ / ‖f(x)‖")
        return Measurement(numbers, maps, {"error": picture}, self.protocol)

    def _norms(self, network: Network, sample: Sample, grid: ShiftGrid, foreign: Sample | None) -> list["_Norms"]:
        """Of each stage."""
        fields = network.skeleton.receptive_fields()
        found = [_Norms(len(grid), len(sample)) for _ in fields]
        for rows in sample.slices():
            batch, another = sample.rows(rows), None if foreign is None else foreign.rows(rows)
            bases = network.features(batch.images)
            for index, shift in enumerate(grid.track("equivariance")):
                moved = network.features(batch.shifted(shift, self.protocol))
                strange = None if another is None else network.features(another.shifted(shift, self.protocol))
                for stage, base in enumerate(bases):
                    mask = interior_units(base, fields[stage], shift, sample.size)
                    steps = tuple(delta / field.stride for delta, field in zip(shift, fields[stage], strict=True))
                    expected = shift_features(base, steps, self.protocol)
                    found[stage].note("full", index, rows, moved[stage] - expected, base)
                    found[stage].note("interior", index, rows, (moved[stage] - expected) * mask, expected * mask)
                    if strange is not None:
                        found[stage].note("control", index, rows, strange[stage] - expected, base)
        return found


class _Norms:
    """Of a stage, by what is compared: norms of the difference and of what it is relative to, twice (S, N)."""

    def __init__(self, shifts: int, images: int) -> None:
        self.parts = {kind: torch.zeros(2, shifts, images, dtype=torch.float64) for kind in ("full", "interior", "control")}

    def note(self, kind: str, shift: int, rows: slice, difference: Tensor, scale: Tensor) -> None:
        """For one shift of some images."""
        for part, values in enumerate((difference, scale)):
            self.parts[kind][part, shift, rows] = values.flatten(1).norm(dim=1).double().cpu()

    def relative(self, kind: str, images: Tensor) -> Tensor:
        """The mean of one over the mean of the other, over some images: (S,); NaN where there is nothing."""
        above, below = self.parts[kind][:, :, images].sum(2)
        return above / below.where(below > 0, torch.nan)


def interior_units(features: Tensor, fields: tuple[ReceptiveField, ...], shift: Size, size: Size) -> Tensor:
    """Units whose windows lie within the image, and, where they came from, did so before the shift: bool, (*feature size)."""
    inside = torch.ones(tuple(features.shape[2:]), dtype=torch.bool, device=features.device)
    for dim, (field, delta, n) in enumerate(zip(fields, shift, size, strict=True)):
        units = features.shape[2 + dim]
        first = field.first + field.stride * torch.arange(units, device=features.device)
        here = (first >= max(0, delta)) & (first + field.size <= min(n, n + delta))
        before = ((first >= 0) & (first + field.size <= n)).double()[None, None]  # (1, 1, units)
        here &= shift_features(before, (delta / field.stride,), "zero_fill")[0, 0] == 1
        inside &= here.reshape(tuple(units if d == dim else 1 for d in range(len(size))))
    return inside
