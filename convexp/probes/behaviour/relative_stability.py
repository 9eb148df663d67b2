"""How far a smooth deformation moves the logits, compared with noise of the same norm."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets, other_class_indices
from convexp.probes.errors import NotApplicableError
from convexp.probes.predict import Classifier
from convexp.probes.requirements import require_at_least, require_neighbours, require_positive
from convexp.probes.sample import Sample


@dataclass(frozen=True)
class RelativeStability:
    """Relative stability ``R_f = E‖f(τx) - f(x)‖² / E‖f(x + η) - f(x)‖²`` of the logits f.

    τ is a smooth random deformation ``(τx)(u) = x(u - v(u))``, computed by bilinear interpolation. Each component of the
    displacement is ``v(a, b) = sum_{i,j >= 1, i²+j² <= cutoff²} C_ij sin(i pi a) sin(j pi b)`` with a, b from 0 to 1, and is
    zero at the edges of the image. The C_ij are normal with a variance proportional to 1 / (i² + j²), scaled so that the root
    mean square of the displacement is ``displacement`` pixels. η is white Gaussian noise with ``‖η‖ = ‖τx - x‖`` for each
    image.

    Source: Petrini et al. 2021, arXiv 2105.02468.

    Numbers:
        all (ratio): R_f, which is about 1 before training; below 1 deformations matter less than noise.
        correct (ratio): R_f, over the correctly classified images.
        deformation (ratio): E‖f(τx) - f(x)‖² relative to ``E‖f(x) - f(z)‖²``, with z an image of another class.
        noise (ratio): E‖f(x + η) - f(x)‖² relative to ``E‖f(x) - f(z)‖²``.
        accuracy (share): unshifted images that are classified correctly.
        n (images): number of images measured.

    Args:
        displacement: Root mean square of the displacement, in pixels.
        cutoff: Largest wave number of the deformation.
        max_images: Number of test images to measure, from the first on.
        seed: Seed of deformations and noise.
    """

    displacement: float
    cutoff: int
    max_images: int
    seed: int

    def __post_init__(self) -> None:
        require_at_least(self, cutoff=2, max_images=1, seed=0)
        require_positive(self, "displacement")

    needs_scores = True

    def measure(self, network: Classifier, sample: Sample) -> Measurement:
        """Measure the stability, with three forward passes of the images."""
        require_neighbours(sample)
        if len(sample.size) != 2:
            raise NotApplicableError(f"needs images of two dimensions, and these have {len(sample.size)}")
        sample = sample.first(self.max_images)
        generator = torch.Generator().manual_seed(self.seed)
        base, deformed_logits, noisy_logits = [], [], []
        for batch in sample.batches():
            given = batch.images if batch.images.is_floating_point() else batch.images.float()
            images = given.to(torch.promote_types(given.dtype, torch.float32))  # no pixel is moved in half precision
            field = displacement_field(len(images), sample.size, self.displacement, self.cutoff, generator).to(images)
            deformed = deform(images, field)
            noise = torch.randn(images.shape, generator=generator).to(images)
            length = (deformed - images).flatten(1).norm(dim=1) / noise.flatten(1).norm(dim=1)
            for into, seen in (
                (base, images),
                (deformed_logits, deformed),
                (noisy_logits, images + noise * length[:, None, None, None]),
            ):
                into.append(network(seen.to(given.dtype)).double())
        logits = torch.cat(base)
        deformation, noise = ((torch.cat(v) - logits).square().sum(1) for v in (deformed_logits, noisy_logits))
        different = other_class_indices(sample.labels)
        class_distance = 0.0 if different is None else float((logits[different] - logits).square().sum(1).mean())
        correct = logits.argmax(1) == sample.labels
        if not noise[correct if correct.any() else slice(None)].any():
            raise NotApplicableError("the output does not depend on the image")
        above, below = mean_over_subsets(deformation, correct), mean_over_subsets(noise, correct)
        numbers = {name: above[name] / below[name] for name in above}
        if class_distance:
            numbers |= {"deformation": above["all"] / class_distance, "noise": below["all"] / class_distance}
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(len(sample))}
        return Measurement(numbers)


def displacement_field(n: int, size: tuple[int, ...], rms: float, cutoff: int, generator: torch.Generator) -> Tensor:
    """Draw smooth random displacements, down and right in pixels, which are zero at the edges: ``(n, H, W, 2)``.

    Args:
        n: Number of displacement fields.
        size: Size (H, W) of the images.
        rms: Root mean square of the displacement, in pixels.
        cutoff: Largest wave number.
        generator: Source of randomness.
    """
    waves = torch.arange(1, cutoff + 1)
    squared = waves[:, None] ** 2 + waves**2  # i² + j²
    scale = torch.where(squared <= cutoff**2, 1 / squared.double(), 0).sqrt()
    basis = [torch.sin(math.pi * waves[:, None] * (torch.arange(m) + 0.5) / m).double() for m in size]  # (cutoff, pixels)
    power = scale**2 * torch.outer(*(b.square().mean(1) for b in basis))  # mean squared displacement of a component, by wave
    drawn = torch.randn(n, 2, cutoff, cutoff, generator=generator, dtype=torch.float64) * scale
    field = torch.einsum("ndij,ih,jw->nhwd", drawn, *basis)
    return (field * rms / math.sqrt(2 * float(power.sum()))).float()


def deform(images: Tensor, field: Tensor) -> Tensor:
    """Deform images ``(B, C, H, W)`` to ``x(u - v(u))``, with the displacements v ``(B, H, W, 2)`` in pixels.

    Interpolation is bilinear, and pixels outside the image have the values of its edge.
    """
    height, width = images.shape[2:]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    at = torch.stack((columns, rows), -1).to(field) - field.flip(-1)  # (B, H, W, 2): x first, as grid_sample wants it
    scaled = at * 2 / torch.tensor([max(1, width - 1), max(1, height - 1)]).to(field) - 1
    return F.grid_sample(images, scaled, mode="bilinear", padding_mode="border", align_corners=True)
