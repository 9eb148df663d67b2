"""The invariance of every layer's representation to shifts, by three measures of the literature."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from convexp.geometry.placement import ShiftProtocol
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets, other_class_indices
from convexp.probes.behaviour.layer_invariance import std_over_images, sweep_shifts
from convexp.probes.behaviour.shift_grid import ShiftGrid
from convexp.probes.figures import line_plot
from convexp.probes.predict import predict
from convexp.probes.requirements import require_at_least, require_positive
from convexp.probes.sample import Sample


@dataclass(frozen=True)
class InvarianceByLayer:
    """Cosine similarity, normalised variance and Goodfellow's score of every layer, over all shifts up to max_shift.

    The layers are the stages, the readout and the parts of the head of a skeleton, and in any other network those that are
    looked at (``convexp.models.representations``). The units of a layer are flattened into one vector h.

    - ``cosine`` is ``E_{x,δ} cos(h(T_δ x), h(x))`` over δ != 0, and 1 for an invariant layer (Biscione & Bowers 2021).
      ``cosine_correct`` is over the correctly classified images, ``cosine_control`` with T_δ of an image of another class.
    - ``variance`` is ``mean_x std_δ h_i(T_δ x) / mean_δ std_x h_i(T_δ x)`` for each unit, with n - 1 in the deviations and 0/0
      = 1, and then the mean over the units for which it is finite. It is 0 for an invariant layer, and 1 if shifts matter as
      much as images do (Quiroga et al. 2021, the package ``tmeasures``). The ratio of a unit is infinite if the unit is
      constant over images but not over shifts. The map ``infinite`` has the share of such units.
    - ``firing`` is ``L(i) / G(i)``. G(i) is the share of images for which unit i fires, that is ``s h_i > t_i``, with t_i the
      (k+1)-th largest response and k = 1 % of the images. L(i) is the share of the shifts of these images for which it still
      fires. s is 1 or -1, whichever scores higher. The result is the mean over the ``top`` share of the units, at most
      1 / G = 100 (Goodfellow et al. 2009).

    The maps hold each measure by layer, and the cosine by the distance r = max |δ_i|.

    Source: Biscione & Bowers 2021, arXiv 2110.05861; Quiroga et al. 2021; Goodfellow et al. 2009.

    Numbers:
        LAYER/cosine (cosine): similarity of the representations of a shifted and the unshifted image; 1 is invariant.
        LAYER/cosine_correct (cosine): cosine, over the correctly classified images.
        LAYER/cosine_control (cosine): cosine, with T_δ of an image of another class.
        LAYER/variance (ratio): normalised variance; 0 is invariant, and at 1 shifts matter as much as images do.
        LAYER/firing (ratio): Goodfellow's score of the most invariant units; at most 100.
        accuracy (share): unshifted images that are classified correctly.
        n (images): number of images measured.

    Args:
        max_shift: Largest shift in each direction in pixels, at least 1.
        max_images: Number of test images to measure, from the first on.
        top: Share of the units, the most invariant ones, over which the score ``firing`` is taken, above 0 and up to 1.
        protocol: How images are shifted: ``zero_fill``, ``circular`` or ``crop``.
    """

    max_shift: int
    max_images: int
    top: float = 0.2
    protocol: ShiftProtocol = "zero_fill"

    def __post_init__(self) -> None:
        require_at_least(self, max_shift=1, max_images=2)
        require_positive(self, "top")
        if self.top > 1:
            raise ValueError(f"top={self.top}: should be a share of the units, above 0 and up to 1")

    needs_scores = True

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure all layers.

        It takes two forward passes of the images for each shift, one more for the control, and three without a shift.
        """
        sample = sample.first(self.max_images)
        grid, different = ShiftGrid(self.max_shift, len(sample.size)), other_class_indices(sample.labels)
        correct = (predict(network, sample) == sample.labels).cpu()
        layers = sweep_shifts(network, sample, grid, self.protocol, None if different is None else sample.rows(different))
        over_images = std_over_images(network, sample, grid, self.protocol)
        numbers: dict[str, float] = {}
        maps: dict[str, Any] = {"radius": {}, "infinite": {}}
        shifted = grid.distance > 0
        for name, layer in layers.items():
            numbers |= mean_over_subsets(layer.cosine[shifted].mean(0), correct, f"{name}/cosine")
            if different is not None:
                numbers[f"{name}/cosine_control"] = float(layer.control[shifted].mean())
            variance, firing = layer.variance(over_images[name]), layer.firing(len(sample), len(grid))
            finite = variance.isfinite()
            if finite.any():
                numbers[f"{name}/variance"] = float(variance[finite].mean())
            if len(firing):
                best = firing.sort(descending=True).values
                numbers[f"{name}/firing"] = float(best[: max(1, round(self.top * len(best)))].mean())
            maps["radius"][name] = grid.radial(layer.cosine.mean(1))
            maps["infinite"][name] = float((~finite).double().mean())
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(len(sample))}
        for measure in ("cosine", "cosine_control", "variance", "firing"):
            maps[measure] = {name: numbers.get(f"{name}/{measure}") for name in layers}
        picture = line_plot(maps["radius"], "shift (pixels)", "similarity of representations", "cosine, f(Tx) and f(x)")
        return Measurement(numbers, maps, {"cosine": picture}, self.protocol)
