"""Equivariance under infinitesimal shifts: the Lie derivative of every feature map and of the logits."""

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.autograd.functional import jvp

from convexp.errors import one_line
from convexp.models.forward_pass import plain_attention
from convexp.models.positions import MapPositions
from convexp.models.representations import layout, maps_and_logits
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets
from convexp.probes.errors import NotApplicableError
from convexp.probes.requirements import require_at_least, require_neighbours, require_positive
from convexp.probes.sample import Sample

Interpolation = Literal["fourier", "bilinear"]
Parts = dict[str, Tensor]


@dataclass(frozen=True)
class LocalEquivariance:
    """``E‖L f‖² / dim f`` with the Lie derivative ``L f = d/dt|₀ T_{-t/s} f(T_t x) = J_f(x) D x - D f(x) / s``.

    T_t shifts by t pixels, and ``D x = d/dt|₀ T_t x``. ``T_{-t/s}`` shifts a feature map with stride s back; logits, which
    should not change, are not shifted. The result is the mean over the dimensions of the image. ``J_f(x) D x`` is exact, and
    everything is computed in double precision.

    The result is 0 for a linear convolution with circular border and stride 1 only, since a nonlinearity adds frequencies.

    Source: Gruver et al. 2023, arXiv 2210.02984, who define ``logits``. The code of its end-to-end figures differs: it computes
    ``softmax``, by bilinear interpolation with a mirrored border, for each axis separately, and with t in units of half the
    image, ``(n - 1) / 2`` pixels.

    Numbers:
        logits (1/pixel²): E‖L f‖² / dim f of the logits, which grows with their square.
        logits_correct (1/pixel²): logits, over the correctly classified images.
        softmax (1/pixel): mean over classes of ``|d/dt softmax f(T_t x)|``.
        softmax_correct (1/pixel): softmax, over the correctly classified images.
        accuracy (share): unshifted images that are classified correctly.
        n (images): number of images measured.
        LAYER/relative (1/pixel²): E‖L f‖² / E‖f‖² of the feature map f; 0 is exact.
        LAYER (1/pixel²): E‖L f‖² / dim f of the feature map f, which grows with its square.

    Args:
        max_images: Number of test images to measure, from the first on.
        interpolation: With ``fourier`` each frequency is shifted by its phase, with a circular border. With ``bilinear`` the
            derivative at a pixel is the difference to the next one, with a mirrored border.
        step: Step h of a central difference ``(f(x + h D x) - f(x - h D x)) / 2h`` that replaces ``J_f(x) D x``, for networks
            that cannot be differentiated twice, or None for the exact derivative.
    """

    max_images: int
    interpolation: Interpolation = "fourier"
    step: float | None = None

    def __post_init__(self) -> None:
        require_at_least(self, max_images=1)
        if self.interpolation not in get_args(Interpolation):
            raise ValueError(f"interpolation={self.interpolation}: should be one of {', '.join(get_args(Interpolation))}")
        if self.step is not None:
            require_positive(self, "step")

    needs_scores = True

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure the Lie derivative.

        It takes a forward pass of the images in double precision, and for each dimension one more and two backward passes.
        """
        require_neighbours(sample)
        sample, exact = sample.first(self.max_images), copy.deepcopy(network).double()
        placed = layout(network, sample.images).maps
        _check_double(exact, sample)
        with plain_attention():  # torch has no second derivative of its faster kernels
            batches = [self._batch(exact, placed, batch.images.double()) for batch in sample.batches()]
        errors, squares = _joined([batch[0] for batch in batches]), _joined([batch[1] for batch in batches])
        correct = torch.cat([predicted for *_, predicted in batches]) == sample.labels
        numbers: dict[str, float] = {}
        for name, error in errors.items():
            numbers |= mean_over_subsets(error, correct, name) if name in ("logits", "softmax") else {name: float(error.mean())}
            if name in squares and squares[name].any():
                numbers[f"{name}/relative"] = float(error.mean() / squares[name].mean())
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(len(sample))}
        return Measurement(numbers, protocol="circular" if self.interpolation == "fourier" else None)

    def _batch(self, network: nn.Module, placed: Mapping[str, MapPositions], images: Tensor) -> tuple[Parts, Parts, Tensor]:
        """Return ``‖L f‖² / dim f`` (and ``softmax``) and ``‖f‖² / dim f`` by part, and the predicted classes, (B,) each."""
        parts, dims = maps_and_logits(network, images, placed), images.dim() - 2
        errors = {name: images.new_zeros(len(images)) for name in (*parts, "softmax")}
        for dim in range(dims):
            slopes = self._slopes(network, images, placed, dim)
            errors["softmax"] += _softmax_slope(parts["logits"], slopes["logits"]).abs().mean(1) / dims
            for name, position in placed.items():
                slopes[name] = slopes[name] - derivative(parts[name], dim, self.interpolation) / position.stride[dim]
            for name, slope in slopes.items():
                errors[name] += slope.flatten(1).square().mean(1) / dims
        squares = {name: value.flatten(1).square().mean(1) for name, value in parts.items()}
        return errors, squares, parts["logits"].argmax(1)

    def _slopes(self, network: nn.Module, images: Tensor, names: Iterable[str], dim: int) -> Parts:
        """Return ``J_f(x) D x`` of every part."""
        tangent = derivative(images, dim, self.interpolation)
        if self.step is None:
            order: list[str] = []

            def values(x: Tensor) -> tuple[Tensor, ...]:
                parts = maps_and_logits(network, x, names)
                order[:] = parts
                return tuple(parts.values())

            try:
                slopes: Any = jvp(values, images, tangent)[1]  # by two backward passes, which every layer supports
            except RuntimeError as error:
                if "is not implemented" not in str(error):
                    raise
                raise NotApplicableError(f"the network cannot be differentiated twice; set step ({one_line(error)})") from error
            return dict(zip(order, slopes, strict=True))
        ahead, behind = (maps_and_logits(network, images + h * tangent, names) for h in (self.step, -self.step))
        return {name: (ahead[name] - behind[name]) / (2 * self.step) for name in ahead}


def _check_double(network: nn.Module, sample: Sample) -> None:
    """Check on one image that a network works in double precision: one that casts its input itself may not."""
    try:
        network.forward(sample.images[:1].double())
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise NotApplicableError(f"the network does not work in double precision: {one_line(error)}") from error


def _joined(batches: list[Parts]) -> Parts:
    return {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}


def _softmax_slope(logits: Tensor, slope: Tensor) -> Tensor:
    """Return ``d/dt softmax(z) = p_i (z_i' - sum_j p_j z_j')``, (B, classes)."""
    p = logits.softmax(1)
    return p * (slope - (p * slope).sum(1, keepdim=True))


def derivative(images: Tensor, dim: int, interpolation: Interpolation) -> Tensor:
    """Return ``D x = d/dt|₀ T_t x``, with T_t the shift by t pixels along one spatial dimension: ``(B, C, *size)``.

    With ``fourier`` it is the derivative of the trigonometric polynomial through the pixels, ``x^(k) (-2 pi i k / n)``. The
    highest frequency of an even n, whose sign is not known, does not contribute. With ``bilinear`` it is ``x_i - x_{i+1}``,
    with ``x_n = x_{n-2}``.
    """
    axis, n = dim + 2, images.shape[dim + 2]
    if interpolation == "bilinear":
        beyond = images.narrow(axis, max(0, n - 2), 1)
        return images - torch.cat((images.narrow(axis, 1, n - 1), beyond), axis)
    frequency = torch.fft.rfftfreq(n, dtype=torch.float64, device=images.device)  # cycles per pixel
    if n % 2 == 0:
        frequency[-1] = 0
    factor = (-2j * math.pi * frequency).reshape(-1, *(1,) * (images.dim() - 1 - axis))
    return torch.fft.irfft(torch.fft.rfft(images, dim=axis) * factor, n=n, dim=axis)
