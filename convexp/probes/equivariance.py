"""Does a layer's map move along when the image moves?"""

from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.models import Network
from convexp.placement import Protocol
from convexp.probes.base import Measurement, NotApplicableError, Sample, at_least, predict
from convexp.probes.pictures import curves
from convexp.probes.shifts import Grid, others, shift_features, subsets
from convexp.skeleton import Field


@dataclass(frozen=True)
class Equivariance:
    """``E_x ‖f(T_δ x) - T_{δ/s} f(x)‖ / ‖f(x)‖`` of every stage's output f, for every δ up to max_shift; s its total stride.

    ``T_{δ/s}`` moves the map by whole units, the fraction of one by linear interpolation; what comes in is zero (circular: what
    left). ``full`` is over all units. ``interior`` is over those whose windows, before and after the shift, lie within what of
    the image is there before and after it: no border and no filled-in pixel has a part in them (0 for any shared weights and
    whole δ/s). A dense layer is measured at the same units, though it sees everything.

    Numbers, means over all δ but 0, by stage: ``full``, ``full_correct`` (over the correctly classified images),
    ``full_control`` (T_δ of an image of another class in the place of T_δ x), ``interior`` where a shift leaves such units;
    ``accuracy``, ``n`` images. Dimensionless: 0 is exact, about 1.4 means unrelated maps of equal norm. Maps, by stage:
    ``full``, ``interior`` (null where there are no such units) and ``full_radius`` (mean over max |δ_i| = r).
    Source: design.md, section 1; Lenc & Vedaldi 2015, arXiv 1411.5908.

    Args:
        max_shift: pixels, 1 or more.
        max_images: the first so many test images.
        protocol: zero_fill, circular or crop.
    """

    max_shift: int
    max_images: int
    protocol: Protocol = "zero_fill"

    def __post_init__(self) -> None:
        at_least(self, max_shift=1, max_images=1)

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """Two forward passes of the images per shift, and one without."""
        if not network.stages:
            raise NotApplicableError("the network has no stages")
        sample = sample.first(self.max_images)
        grid, different = Grid(self.max_shift, len(sample.size)), others(sample.labels)
        correct = (predict(network, sample) == sample.labels).cpu()
        found = self._errors(network, sample, grid, sample if different is None else sample.rows(different))
        full, control, interior, known = found  # (stages, S, N), the last (stages, S)
        shifted = grid.distance > 0
        numbers: dict[str, float] = {}
        maps: dict[str, object] = {}
        lines: dict[str, list[float]] = {}
        for stage in range(len(network.stages)):
            name, inside = f"stages.{stage}", shifted & known[stage]
            numbers |= subsets(full[stage, shifted].mean(0), correct, f"{name}/full")
            if different is not None:
                numbers[f"{name}/full_control"] = float(control[stage, shifted].mean())
                lines[f"{name}, another class"] = grid.radial(control[stage].mean(1))
            if inside.any():
                numbers[f"{name}/interior"] = float(interior[stage, inside].mean())
            by_shift, lines[name] = full[stage].mean(1), grid.radial(full[stage].mean(1))
            there = interior[stage].mean(1).numpy().astype(object)
            there[~known[stage].numpy()] = None
            maps[name] = {
                "full": grid.map(by_shift).tolist(),
                "interior": there.reshape(grid.shape).tolist(),
                "full_radius": lines[name],
            }
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(len(sample))}
        picture = curves(lines, "shift (pixels)", "relative equivariance error", "‖f(Tx) - Tf(x)‖ / ‖f(x)‖")
        return Measurement(numbers, maps, {"error": picture}, self.protocol)

    def _errors(self, network: Network, sample: Sample, grid: Grid, foreign: Sample) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Full error, the same for the foreign images, and the interior one, (stages, S, N); whether there is an interior."""
        fields = network.skeleton.fields()
        found = torch.zeros(3, len(fields), len(grid), len(sample), dtype=torch.float64)
        known = torch.zeros(len(fields), len(grid), dtype=torch.bool)
        for index, shift in enumerate(grid.track("equivariance")):
            start = 0
            for batch, another in zip(sample.batches(), foreign.batches(), strict=True):
                rows = slice(start, start := start + len(batch))
                seen = (batch.images, batch.moved(shift, self.protocol), another.moved(shift, self.protocol))
                parts = zip(*(_stages(network, images) for images in seen), strict=True)
                for stage, (base, moved, strange) in enumerate(parts):
                    mask = interior_units(base, fields[stage], shift, sample.size)
                    known[stage, index] = mask.any()
                    steps = tuple(delta / field.step for delta, field in zip(shift, fields[stage], strict=True))
                    expected = shift_features(base, steps, self.protocol)
                    pairs = (
                        (moved, expected, base),
                        (strange, expected, base),
                        (moved * mask, expected * mask, expected * mask),
                    )
                    found[:, stage, index, rows] = torch.stack([_error(*pair) for pair in pairs]).cpu()
        return found[0], found[1], found[2], known


def _stages(network: Network, images: Tensor) -> list[Tensor]:
    return [value for name, value in network.representations(images).items() if name.startswith("stages.")]


def _error(found: Tensor, expected: Tensor, scale: Tensor) -> Tensor:
    """‖found - expected‖ / ‖scale‖ of each image, 0 where all are zero: (B, C, *size) -> (B,)."""
    difference, norm = (found - expected).flatten(1).norm(dim=1).double(), scale.flatten(1).norm(dim=1).double()
    return torch.where(difference > 0, difference / norm.clamp(min=torch.finfo(torch.float32).tiny), 0)


def interior_units(features: Tensor, fields: tuple[Field, ...], shift: tuple[int, ...], size: tuple[int, ...]) -> Tensor:
    """Units whose windows lie within the image, and, where they came from, did so before the shift: bool, (*feature size)."""
    inside = torch.ones(tuple(features.shape[2:]), dtype=torch.bool, device=features.device)
    for dim, (field, delta, n) in enumerate(zip(fields, shift, size, strict=True)):
        units = features.shape[2 + dim]
        first = field.first + field.step * torch.arange(units, device=features.device)
        here = (first >= max(0, delta)) & (first + field.size <= min(n, n + delta))
        before = ((first >= 0) & (first + field.size <= n)).double()[None, None]  # (1, 1, units)
        here &= shift_features(before, (delta / field.step,), "zero_fill")[0, 0] == 1
        inside &= here.reshape(tuple(units if d == dim else 1 for d in range(len(size))))
    return inside
