"""Do two shifts of one image get the same prediction?"""

from dataclasses import dataclass

import torch

from convexp.geometry.placement import ShiftProtocol
from convexp.models import Network
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets, other_class_indices
from convexp.probes.behaviour.shift_grid import random_shifts
from convexp.probes.predict import predict
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample
from convexp.terminal import console


@dataclass(frozen=True)
class Consistency:
    """``E[1{argmax f(T_a x) = argmax f(T_b x)}]``, a and b iid uniform on the grid of shifts up to max_shift.

    Source: Zhang 2019, arXiv 1904.11486 (random crops); Chaman & Dokmanić 2021, arXiv 2011.14214 (circular shifts). Both
    define it with two shifts. The code of the latter for CIFAR-10 reports ``one_shifted`` while it trains, with one shift for
    a whole batch, from -m to m - 1.

    Numbers:
        all (share): two shifts of an image get the same answer.
        correct (share): all, over the images that are classified correctly without a shift; a better network looks more
            consistent by its accuracy alone.
        one_shifted (share): the image as it is and a shift of it get the same answer, which is easier.
        one_shifted_correct (share): one_shifted, over the correctly classified images.
        control (share): shifts of two images of different classes get the same answer.
        accuracy (share): classified correctly as they are.
        n (pairs): compared.

    Args:
        max_shift: pixels.
        pairs: pairs of shifts per image.
        max_images: the first so many test images.
        seed: of the shifts.
        protocol: zero_fill, circular or crop.
    """

    max_shift: int
    pairs: int
    max_images: int
    seed: int
    protocol: ShiftProtocol = "zero_fill"

    def __post_init__(self) -> None:
        require_at_least(self, max_shift=0, pairs=1, max_images=1, seed=0)

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """Two forward passes of the images per pair."""
        sample = sample.first(self.max_images)
        n, different = len(sample), other_class_indices(sample.labels, self.seed)
        shifts = random_shifts(self.max_shift, 2 * self.pairs, n, len(sample.size), self.seed).to(sample.images.device)
        still = predict(network, sample)
        same, one, control = (torch.zeros(n, dtype=torch.float64, device=sample.images.device) for _ in range(3))
        for pair in console.track(range(self.pairs), "consistency"):
            first, second = (predict(network, sample, shifts[2 * pair + i], self.protocol) for i in range(2))
            same += first == second
            one += ((first == still).double() + (second == still)) / 2
            if different is not None:
                control += first == second[different]
        correct = still == sample.labels
        numbers = mean_over_subsets(same / self.pairs, correct) | mean_over_subsets(one / self.pairs, correct, "one_shifted")
        if different is not None:
            numbers["control"] = float(control.mean() / self.pairs)
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(self.pairs * n)}
        return Measurement(numbers, protocol=self.protocol)
