"""How often the last feature map has its peak on the object."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convexp.geometry.skeleton import ReceptiveField
from convexp.models.representations import forward_from
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets
from convexp.probes.errors import NotApplicableError
from convexp.probes.figures import draw_peaks
from convexp.probes.requirements import require_at_least, require_maps, require_neighbours
from convexp.probes.sample import Sample

SHOWN = 8  # Number of images in the picture.


@dataclass(frozen=True)
class Localisation:
    """Share of the images with an object in which the peak of a map over the last layer's units lies on the object.

    There are two maps. ``energy`` is ``sum_c h[c,i,j]²``. ``evidence`` is ``sum_c h[c,i,j] dz/dh[c,i,j]``, with z the logit of
    the image's class minus the mean of the others; for a linear readout this is the class activation map of Zhou et al. 2016,
    arXiv 1512.04150, and otherwise gradient times activation. A unit lies on the object if the centre of its receptive field is
    in the bounding box of the object, or less than half a stride beside it.

    With m the map, a number is ``E 1{argmax_{i,j} m[i,j] lies on the object}``.

    The picture shows some images with the bounding box, and their evidence. Only data sets that know bounding boxes can be
    measured, such as ``data=waldo``.

    Source: Zhou et al. 2016, arXiv 1512.04150, for the map ``evidence``; counting peaks on the object is the pointing game of
    Zhang et al. 2016, arXiv 1608.00507.

    Numbers:
        energy (share): images in which the peak of the energy lies on the object.
        energy_correct (share): energy, over the correctly classified images.
        evidence (share): images in which the peak of the evidence lies on the object.
        evidence_correct (share): evidence, over the correctly classified images.
        chance (share): units that lie on the object, which is what a random peak would reach.
        accuracy (share): images with an object that are classified correctly.
        n (images): number of images with an object.

    Args:
        max_images: Number of test images to measure, from the first on.
    """

    max_images: int

    def __post_init__(self) -> None:
        require_at_least(self, max_images=1)

    needs_scores = True

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure the peaks, with a forward and a backward pass of the images that have an object."""
        require_neighbours(sample)
        if sample.objects is None:
            raise NotApplicableError("the data set does not know where objects are; data=waldo does")
        sample = sample.first(self.max_images)
        layer, position = list(require_maps(network, sample).maps.items())[-1]
        sample = sample.rows((sample.objects[:, 0] >= 0).all(1).nonzero()[:, 0])  # type: ignore[index]
        if not len(sample):
            raise NotApplicableError("no image has an object")
        assert sample.objects is not None
        maps = [evidence(network, batch, layer) for batch in sample.batches()]
        energy, evidences, correct = (torch.cat(parts) for parts in zip(*maps, strict=True))
        on_object = self._units_on(position.fields, sample.objects, tuple(energy.shape[1:])).flatten(1)  # (N, units)
        numbers: dict[str, float] = {}
        for name, values in (("energy", energy), ("evidence", evidences)):
            peak = values.flatten(1).argmax(1)
            numbers |= mean_over_subsets(on_object.gather(1, peak[:, None])[:, 0], correct, name)
        numbers |= {
            "chance": float(on_object.double().mean()),
            "accuracy": float(correct.double().mean()),
            "n": float(len(sample)),
        }
        pictures: dict[str, Tensor] = {}
        if len(sample.size) == 2:
            shown = sample.first(SHOWN).shown()
            pictures["evidence"] = draw_peaks(shown, evidences[:SHOWN], sample.objects[:SHOWN], position.fields)
        return Measurement(numbers, pictures=pictures)

    @staticmethod
    def _units_on(fields: tuple[ReceptiveField, ...], objects: Tensor, units: tuple[int, ...]) -> Tensor:
        """Return whether each unit of the last map lies on the object, (N, *units) bool."""
        on = torch.ones(len(objects), *units, dtype=torch.bool, device=objects.device)
        for dim, (field, n) in enumerate(zip(fields, units, strict=True)):
            centre = torch.tensor([field.centre(i) for i in range(n)], device=objects.device)
            low, high = objects[:, 0, dim, None] - field.stride / 2, objects[:, 1, dim, None] - 1 + field.stride / 2
            line = (centre > low) & (centre < high)  # (N, units)
            on &= line.reshape(len(objects), *(n if d == dim else 1 for d in range(len(units))))
        return on


def evidence(network: nn.Module, sample: Sample, layer: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return energy and evidence at every unit of a layer's map, (N, *units) each, and whether each image is correct, (N,)."""
    features, logits = forward_from(network, sample.images, layer)  # (N, C, *units), (N, classes)
    with torch.enable_grad():
        own = logits.gather(1, sample.labels[:, None])[:, 0]
        rest = (logits.sum(1) - own) / max(1, logits.shape[1] - 1)
        (slope,) = torch.autograd.grad((own - rest).sum(), features)
    return features.detach().square().sum(1), (features.detach() * slope).sum(1), logits.argmax(1) == sample.labels
