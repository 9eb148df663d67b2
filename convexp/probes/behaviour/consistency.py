"""How often two shifts of one image get the same prediction."""

from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.geometry.placement import ShiftProtocol
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets, other_class_indices
from convexp.probes.behaviour.shift_grid import random_shifts
from convexp.probes.predict import Classifier, predict
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample
from convexp.terminal import console


@dataclass(frozen=True)
class Consistency:
    """Consistency ``E[1{argmax f(T_a x) = argmax f(T_b x)}]``, with a and b iid uniform over all shifts up to max_shift.

    Source: Zhang 2019, arXiv 1904.11486 (random crops); Chaman & Dokmanić 2021, arXiv 2011.14214 (circular shifts). Both
    define it with two shifts. The code of the latter for CIFAR-10 reports ``one_shifted`` during training, with one shift from
    -m to m - 1 for a whole batch.

    Numbers:
        all (share): pairs in which two shifts of an image get the same prediction.
        correct (share): all, over the images that are classified correctly without a shift; a more accurate network looks more
            consistent by its accuracy alone.
        one_shifted (share): pairs in which an image and a shift of it get the same prediction, which is easier.
        one_shifted_correct (share): one_shifted, over the correctly classified images.
        control (share): pairs in which shifts of two images of different classes get the same prediction.
        permuted (share): pairs in which two shifts of an image with permuted pixels get the same prediction: images such as
            the training never shows.
        permuted_control (share): control, of images with permuted pixels.
        accuracy (share): unshifted images that are classified correctly.
        n (pairs): number of pairs compared.

    Args:
        max_shift: Largest shift in each direction, in pixels.
        pairs: Number of pairs of shifts for each image.
        max_images: Number of test images to measure, from the first on.
        seed: Seed of the shifts.
        protocol: How images are shifted: ``zero_fill``, ``circular`` or ``crop``.
        permuted: Whether images with permuted pixels are measured as well, by one permutation for all.
    """

    max_shift: int
    pairs: int
    max_images: int
    seed: int
    protocol: ShiftProtocol = "zero_fill"
    permuted: bool = False

    def __post_init__(self) -> None:
        require_at_least(self, max_shift=0, pairs=1, max_images=1, seed=0)

    needs_scores = True

    def measure(self, network: Classifier, sample: Sample) -> Measurement:
        """Measure how often predictions agree, with two forward passes of the images for each pair; four with permuted ones."""
        sample = sample.first(self.max_images)
        agreed = self._agreements(network, sample)
        correct = agreed.unshifted == sample.labels
        numbers = mean_over_subsets(agreed.both_shifted, correct)
        numbers |= mean_over_subsets(agreed.one_shifted, correct, "one_shifted")
        if agreed.control is not None:
            numbers["control"] = float(agreed.control.mean())
        if self.permuted:
            others = self._agreements(network, sample.permuted(self.seed))
            numbers["permuted"] = float(others.both_shifted.mean())
            if others.control is not None:
                numbers["permuted_control"] = float(others.control.mean())
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(self.pairs * len(sample))}
        return Measurement(numbers, protocol=self.protocol)

    def _agreements(self, network: Classifier, sample: Sample) -> "_Agreements":
        n, different = len(sample), other_class_indices(sample.labels, self.seed)
        shifts = random_shifts(self.max_shift, 2 * self.pairs, n, len(sample.size), self.seed).to(sample.images.device)
        unshifted = predict(network, sample)
        both_shifted, one_shifted, control = (
            torch.zeros(n, dtype=torch.float64, device=sample.images.device) for _ in range(3)
        )
        for pair in console.track(range(self.pairs), "consistency"):
            first, second = (predict(network, sample, shifts[2 * pair + i], self.protocol) for i in range(2))
            both_shifted += first == second
            one_shifted += ((first == unshifted).double() + (second == unshifted)) / 2
            if different is not None:
                control += first == second[different]
        found = both_shifted / self.pairs, one_shifted / self.pairs, None if different is None else control / self.pairs
        return _Agreements(unshifted, *found)


@dataclass(frozen=True)
class _Agreements:
    """The share of an image's pairs that agree, ``(N,)`` float64, by what is compared, and the unshifted predictions."""

    unshifted: Tensor
    both_shifted: Tensor
    one_shifted: Tensor
    control: Tensor | None
