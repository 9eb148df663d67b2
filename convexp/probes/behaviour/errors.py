"""Which images a network gets wrong, what it takes them for, and which shifts break which class."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from convexp.geometry.placement import ShiftProtocol
from convexp.probes.base import Measurement
from convexp.probes.behaviour.class_rows import ClassRows, class_rows
from convexp.probes.behaviour.error_pictures import class_shift_picture, confusion_picture, mistakes_picture
from convexp.probes.behaviour.shift_grid import ShiftGrid
from convexp.probes.predict import Classifier, logits, predict
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample


@dataclass(frozen=True)
class Errors:
    """Confusion matrix, accuracy by class, the most confident mistakes, and what changes a right answer.

    ``confusion[y,a]`` is the number of images n with ``y_n = y`` and ``argmax f(x_n) = a``, and ``recall[y] = confusion[y,y] /
    sum_a confusion[y,a]``.

    Maps, with a row for each class. If there are more than ``classes`` of them, those with the most errors have rows of their
    own, and the last row is all others together.

    - ``classes``: name of each row. ``confusion``: number of images, a row for the true class and a column for the answer.
    - ``recall``: share of the images of a class that are classified correctly; null for a class without images.
    - ``mistakes``: the wrong answers with the highest probability: ``image`` (counted from 0), ``label``, ``answer``,
      ``probability``.
    - ``shifted``: number of images of each class that are shifted. ``right_by_shift``: how many of them are classified
      correctly, by class, shift down and shift right, from -max_shift on.
    - ``first_change``: of the images that are right without a shift, how many change their answer at a shift δ with
      ``max_i |δ_i|`` of 1, 2, ... pixels and at no smaller one; and at last, how many keep it at all shifts. ``changed_to``:
      what the answer changes to there, a row for the true class (of several such shifts the first from the top left).

    Source: confusion matrix and recall as ``sklearn.metrics`` defines them; the smallest shift that changes a right answer is
    convexp's own measure, on the grid of shifts of ``shift_map``.

    Numbers:
        worst_class (share): smallest recall of a class.
        accuracy (share): images that are classified correctly.
        wrong_probability (share): mean probability that the network gives to its wrong answers.
        changed (share): images right without a shift whose answer some shift of the grid changes.
        changed_at (pixels): mean distance of the smallest shift that changes it, over the images of which one does.
        n (images): number of images measured.
        n_shifted (images): number of images that are shifted.

    Args:
        max_shift: Largest shift in each direction, in pixels.
        max_images: Number of test images to measure, from the first on.
        shifted_images: Number of these that are shifted, from the first on.
        mistakes: Largest number of mistakes to keep and to show.
        classes: Largest number of rows.
        protocol: How images are shifted: ``zero_fill``, ``circular`` or ``crop``.
    """

    max_shift: int
    max_images: int
    shifted_images: int
    mistakes: int
    classes: int
    protocol: ShiftProtocol = "zero_fill"

    def __post_init__(self) -> None:
        require_at_least(self, max_shift=0, max_images=1, shifted_images=1, mistakes=1, classes=2)

    needs_scores = True

    def measure(self, network: Classifier, sample: Sample) -> Measurement:
        """Measure the errors, with a forward pass of all images, and one of those that are shifted for each shift."""
        sample = sample.first(self.max_images)
        scores = logits(network, sample).double()
        answers, probability = scores.argmax(1), scores.softmax(1).amax(1).nan_to_num()
        rows = class_rows(sample.labels, answers, scores.shape[1], sample.class_names, self.classes)
        confusion = rows.pairs(sample.labels, answers)
        right = answers == sample.labels
        by_class = rows.count(sample.labels[right]).double() / rows.count(sample.labels)  # NaN for a row without images
        numbers = {
            "worst_class": _smallest_recall(sample.labels, right),
            "accuracy": float(right.double().mean()),
        }
        if not bool(right.all()):
            numbers["wrong_probability"] = float(probability[~right].mean())
        mistakes = self._mistakes(sample.labels, answers, probability)
        maps: dict[str, Any] = {
            "classes": list(rows.names),
            "confusion": confusion.tolist(),
            "recall": [None if share != share else share for share in by_class.tolist()],
            "mistakes": mistakes,
        }
        pictures = {"confusion": confusion_picture(confusion, rows.names)}
        gallery = mistakes_picture(sample, mistakes, rows.all_names)
        if gallery is not None:
            pictures["mistakes"] = gallery
        shifted = sample.first(self.shifted_images)
        found = self._under_shifts(network, shifted, rows)
        if len(sample.size) <= 2:
            pictures["class_shifts"] = class_shift_picture(found.maps["right_by_shift"], found.maps["shifted"], rows.names)
        numbers |= found.numbers | {"n": float(len(sample)), "n_shifted": float(len(shifted))}
        return Measurement(numbers, maps | found.maps, pictures, self.protocol)

    def _mistakes(self, labels: Tensor, answers: Tensor, probability: Tensor) -> list[dict[str, Any]]:
        wrong = (answers != labels).nonzero()[:, 0]
        surest = wrong[probability[wrong].argsort(descending=True, stable=True)][: self.mistakes]
        columns = (values[surest].tolist() for values in (labels, answers, probability))
        return [
            {"image": image, "label": label, "answer": answer, "probability": round(share, 4)}
            for image, label, answer, share in zip(surest.tolist(), *columns, strict=True)
        ]

    def _under_shifts(self, network: Classifier, sample: Sample, rows: ClassRows) -> Measurement:
        grid = ShiftGrid(self.max_shift, len(sample.size))
        answers = torch.stack([predict(network, sample, shift, self.protocol) for shift in grid.track("errors")])  # (S, N)
        centre, labels = answers[len(grid) // 2], sample.labels
        right = torch.stack([rows.count(labels[hit]) for hit in answers == labels], 1)  # (rows, S)
        first, change = first_change(answers, centre, grid.distance.to(answers.device))
        known = centre == labels
        changed = known & (first <= self.max_shift)
        counts = first[known].bincount(minlength=self.max_shift + 2)[1:]  # at no distance does the answer differ from itself
        numbers = {"changed": float(changed.sum() / known.sum())} if bool(known.any()) else {}
        if bool(changed.any()):
            numbers["changed_at"] = float(first[changed].double().mean())
        maps = {
            "shifted": rows.count(labels).tolist(),
            "right_by_shift": right.reshape(-1, *grid.shape).tolist(),
            "first_change": counts.tolist(),
            "changed_to": rows.pairs(labels[changed], change[changed]).tolist(),
        }
        return Measurement(numbers, maps)


def first_change(answers: Tensor, centre: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
    """Find for each image the nearest shift at which the answer differs.

    Args:
        answers: The answer at each shift, ``(S, N)``.
        centre: The answer without a shift, ``(N,)``.
        distance: Distance of each shift, ``(S,)`` int64, in pixels.

    Returns:
        The distance of that shift, one more than the largest if there is none, and the answer there, ``(N,)`` each; of several
        shifts at one distance the first counts.
    """
    farther, order = int(distance.max()) + 1, torch.arange(len(distance), device=distance.device)
    rank = torch.where(answers != centre, (distance * len(distance) + order)[:, None], farther * len(distance))
    nearest = rank.argmin(0)  # (N,)
    found = answers.gather(0, nearest[None])[0]
    return torch.where(found != centre, distance[nearest], farther), found


def _smallest_recall(labels: Tensor, right: Tensor) -> float:
    """Of all classes that have images, whether the table has a row for each or not."""
    images = labels.bincount()
    recall = labels[right].bincount(minlength=len(images)).double() / images  # NaN for a class without images
    return float(recall[images > 0].min())
