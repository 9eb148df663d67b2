"""How often a shift by one pixel changes the prediction."""

from dataclasses import dataclass

from convexp.geometry.placement import ShiftProtocol
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets, other_class_indices
from convexp.probes.predict import Classifier, logits
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample


@dataclass(frozen=True)
class FlipRate:
    """Flip rate ``P(argmax f(T_δ x) != argmax f(x))`` under a diagonal shift, and change ``E|p_c(T_δ x) - p_c(x)|``.

    The shift is δ = (pixels, pixels), p are the softmax probabilities, and c is the predicted class of x.

    Source: Azulay & Weiss 2019, arXiv 1805.12177.

    Numbers:
        all (share): images whose prediction the shift changes.
        correct (share): all, over the correctly classified images.
        control (share): all, with T_δ of an image of another class instead of T_δ x.
        change (probability): mean absolute change of the probability of the predicted class.
        change_correct (probability): change, over the correctly classified images.
        change_control (probability): change, with T_δ of an image of another class.
        accuracy (share): unshifted images that are classified correctly.
        n (images): number of images measured.

    Args:
        pixels: Size of the shift in every dimension, in pixels.
        max_images: Number of test images to measure, from the first on.
        protocol: How images are shifted: ``zero_fill``, ``circular`` or ``crop``.
    """

    pixels: int
    max_images: int
    protocol: ShiftProtocol = "zero_fill"

    def __post_init__(self) -> None:
        require_at_least(self, pixels=1, max_images=1)

    needs_scores = True

    def measure(self, network: Classifier, sample: Sample) -> Measurement:
        """Measure how predictions change, with two forward passes of the images."""
        sample = sample.first(self.max_images)
        different = other_class_indices(sample.labels)
        before = logits(network, sample).softmax(1)
        after = logits(network, sample, (self.pixels,) * len(sample.size), self.protocol).softmax(1)
        confidence, top = before.max(1)
        correct = top == sample.labels
        flipped = (after.argmax(1) != top).double()
        change = (after.gather(1, top[:, None])[:, 0] - confidence).abs()
        numbers = {**mean_over_subsets(flipped, correct), **mean_over_subsets(change, correct, "change")}
        if different is not None:
            another = after[different]
            numbers["control"] = float((another.argmax(1) != top).double().mean())
            numbers["change_control"] = float((another.gather(1, top[:, None])[:, 0] - confidence).abs().double().mean())
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(len(sample))}
        return Measurement(numbers, protocol=self.protocol)
