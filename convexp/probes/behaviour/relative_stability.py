"""Does a smooth deformation move the output less than noise of the same size?"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.models import Network
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets, other_class_indices
from convexp.probes.errors import NotApplicableError
from convexp.probes.requirements import require_at_least, require_positive
from convexp.probes.sample import Sample


@dataclass(frozen=True)
class RelativeStability:
    """``R_f = E‖f(τx) - f(x)‖² / E‖f(x + η) - f(x)‖²``, τ a smooth random deformation, ``‖η‖ = ‖τx - x‖`` for each image.

    ``(τx)(u) = x(u - v(u))`` by bilinear interpolation, each component of the displacement
    ``v(a, b) = sum_{i,j >= 1, i²+j² <= cutoff²} C_ij sin(i pi a) sin(j pi b)``, a, b in 0..1, C_ij normal with variance
    proportional to 1 / (i² + j²), scaled so that the root of the mean squared displacement is ``displacement`` pixels. η is
    white Gaussian noise of the deformation's norm. f are the logits; an image stays put where τ does not move it (at its
    edge).

    Source: Petrini et al. 2021, arXiv 2105.02468.

    Numbers:
        all (ratio): R_f; about 1 before training, below 1: deformations matter less than noise.
        correct (ratio): R_f, over the correctly classified images.
        deformation (ratio): E‖f(τx) - f(x)‖² over ``E‖f(x) - f(z)‖²``, z an image of another class; 1 is as far as that.
        noise (ratio): E‖f(x + η) - f(x)‖² over the same.
        accuracy (share): classified correctly as they are.
        n (images): looked at.

    Args:
        displacement: pixels.
        cutoff: largest wave number.
        max_images: the first so many test images.
        seed: of deformations and noise.
    """

    displacement: float
    cutoff: int
    max_images: int
    seed: int

    def __post_init__(self) -> None:
        require_at_least(self, cutoff=2, max_images=1, seed=0)
        require_positive(self, "displacement")

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """Three forward passes of the images."""
        if len(sample.size) != 2:
            raise NotApplicableError(f"deforms images of two dimensions, these have {len(sample.size)}")
        sample = sample.first(self.max_images)
        generator = torch.Generator().manual_seed(self.seed)
        base, bent, noisy = [], [], []
        for batch in sample.batches():
            images = batch.images.float()
            field = displacement_field(len(images), sample.size, self.displacement, self.cutoff, generator).to(images.device)
            deformed = deform(images, field)
            noise = torch.randn(images.shape, generator=generator).to(images.device)
            length = (deformed - images).flatten(1).norm(dim=1) / noise.flatten(1).norm(dim=1)
            for into, seen in ((base, images), (bent, deformed), (noisy, images + noise * length[:, None, None, None])):
                into.append(network(seen).double())
        logits = torch.cat(base)
        deformation, noise = ((torch.cat(v) - logits).square().sum(1) for v in (bent, noisy))
        different = other_class_indices(sample.labels)
        apart = 0.0 if different is None else float((logits[different] - logits).square().sum(1).mean())
        correct = logits.argmax(1) == sample.labels
        if not noise[correct if correct.any() else slice(None)].any():
            raise NotApplicableError("the output does not depend on the image")
        above, below = mean_over_subsets(deformation, correct), mean_over_subsets(noise, correct)
        numbers = {name: above[name] / below[name] for name in above}
        if apart:
            numbers |= {"deformation": above["all"] / apart, "noise": below["all"] / apart}
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(len(sample))}
        return Measurement(numbers)


def displacement_field(n: int, size: tuple[int, ...], rms: float, cutoff: int, generator: torch.Generator) -> Tensor:
    """Smooth random displacements in pixels, down and right, zero at the edges: (n, H, W, 2)."""
    waves = torch.arange(1, cutoff + 1)
    squared = waves[:, None] ** 2 + waves**2  # i² + j²
    scale = torch.where(squared <= cutoff**2, 1 / squared.double(), 0).sqrt()
    basis = [torch.sin(math.pi * waves[:, None] * (torch.arange(m) + 0.5) / m).double() for m in size]  # (cutoff, pixels)
    power = scale**2 * torch.outer(*(b.square().mean(1) for b in basis))  # mean squared displacement by wave, of a component
    drawn = torch.randn(n, 2, cutoff, cutoff, generator=generator, dtype=torch.float64) * scale
    field = torch.einsum("ndij,ih,jw->nhwd", drawn, *basis)
    return (field * rms / math.sqrt(2 * float(power.sum()))).float()


def deform(images: Tensor, field: Tensor) -> Tensor:
    """``x(u - v(u))`` by bilinear interpolation, the edge going on outside: (B, C, H, W) with v (B, H, W, 2) in pixels."""
    height, width = images.shape[2:]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    at = torch.stack((columns, rows), -1).to(field) - field.flip(-1)  # (B, H, W, 2): x first, as grid_sample wants it
    scaled = at * 2 / torch.tensor([max(1, width - 1), max(1, height - 1)]).to(field) - 1
    return F.grid_sample(images, scaled, mode="bilinear", padding_mode="border", align_corners=True)
