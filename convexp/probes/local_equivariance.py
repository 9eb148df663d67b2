"""Equivariance under shifts of less than a pixel: the derivative of the error at no shift at all."""

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.models import Network
from convexp.probes.base import Measurement, Sample, at_least, positive
from convexp.probes.shifts import subsets


@dataclass(frozen=True)
class LocalEquivariance:
    """``E‖L f‖² / dim f``, ``L f = d/dt|₀ T_{-t/s} f(T_t x)`` (Lie derivative), mean over the directions of t (pixels).

    T_t shifts circularly and band-limited: each frequency by its phase. ``T_{-t/s}`` moves a stage's map back; logits, which
    should not move, are left as they are. The derivative is the central difference ``(g(h) - g(-h)) / 2h``, in double
    precision.

    Numbers: for every stage and for ``logits`` E‖L f‖²/dim f (per pixel², scales with f²) and ``relative``, E‖L f‖² / E‖f‖²
    (per pixel²; 0 is exact, for a linear convolution with circular border and stride 1 alone: a nonlinearity makes new
    frequencies); ``logits_correct`` over the correctly classified images, ``accuracy``, ``n`` images.
    Source: Gruver et al. 2023, arXiv 2210.02984.

    Args:
        max_images: the first so many test images.
        step: h, pixels.
    """

    max_images: int
    step: float = 0.01

    def __post_init__(self) -> None:
        at_least(self, max_images=1)
        positive(self, "step")

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """Two forward passes of the images in double precision for each dimension."""
        sample, exact = sample.first(self.max_images), copy.deepcopy(network).double()
        fields, dims = network.skeleton.fields(), len(sample.size)
        derivative: dict[str, list[Tensor]] = {}
        square: dict[str, list[Tensor]] = {}
        sizes: dict[str, int] = {}
        hits: list[Tensor] = []
        for batch in sample.batches():
            images = batch.images.double()
            base = self._parts(exact, images)
            hits.append(base["logits"].argmax(1) == batch.labels)
            for name, value in base.items():
                square.setdefault(name, []).append(value.flatten(1).square().sum(1))
                sizes[name] = math.prod(value.shape[1:])
                derivative.setdefault(name, []).append(torch.zeros(len(batch), dtype=torch.float64, device=value.device))
            for dim in range(dims):
                ahead, behind = (
                    self._parts(exact, fourier_shift(images, _along(dim, sign * self.step, dims))) for sign in (1, -1)
                )
                for stage, field in enumerate(fields):
                    name = f"stages.{stage}"
                    for values, sign in ((ahead, -1), (behind, 1)):
                        back = sign * self.step / field[dim].step
                        values[name] = fourier_shift(values[name], _along(dim, back, dims))
                for name in base:
                    slope = (ahead[name] - behind[name]) / (2 * self.step)
                    derivative[name][-1] += slope.flatten(1).square().sum(1) / dims
        correct = torch.cat(hits)
        numbers: dict[str, float] = {}
        for name in derivative:
            error, scale = torch.cat(derivative[name]), torch.cat(square[name])
            if name == "logits":
                numbers |= subsets(error / sizes[name], correct, name)
            else:
                numbers[name] = float(error.mean() / sizes[name])
            if scale.any():
                numbers[f"{name}/relative"] = float(error.mean() / scale.mean())
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(len(sample))}
        return Measurement(numbers, protocol="circular")

    @staticmethod
    def _parts(network: Network, images: Tensor) -> dict[str, Tensor]:
        every = network.representations(images)
        stages = {name: value for name, value in every.items() if name.startswith("stages.")}
        return stages | {"logits": list(every.values())[-1]}


def _along(dim: int, shift: float, dims: int) -> tuple[float, ...]:
    return tuple(shift if d == dim else 0.0 for d in range(dims))


def fourier_shift(images: Tensor, shift: tuple[float, ...]) -> Tensor:
    """Circular shift by any number of pixels of the band-limited signal through the pixels: ``(B, C, *size)``.

    ``x^(k) exp(-2 pi i k δ / n)``; the highest frequency of an even n keeps its real part, cos(pi δ). Whole shifts are rolls.
    """
    for dim, delta in enumerate(shift, start=2):
        if not delta:
            continue
        n = images.shape[dim]
        frequency = torch.fft.rfftfreq(n, dtype=torch.float64, device=images.device)  # cycles per pixel
        phase = torch.polar(torch.ones_like(frequency), -2 * math.pi * delta * frequency)
        if n % 2 == 0:
            phase[-1] = math.cos(math.pi * delta)
        phase = phase.reshape(-1, *(1,) * (images.dim() - 1 - dim))
        images = torch.fft.irfft(torch.fft.rfft(images, dim=dim) * phase, n=n, dim=dim)
    return images
