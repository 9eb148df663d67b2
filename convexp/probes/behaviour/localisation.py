"""Does the feature map peak where the object is?"""

from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.models import Network
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets
from convexp.probes.errors import NotApplicableError
from convexp.probes.figures import draw_peaks
from convexp.probes.requirements import require_at_least, require_stages
from convexp.probes.sample import Sample

SHOWN = 8  # images in the picture


@dataclass(frozen=True)
class Localisation:
    """How often the peak of the last stage's map lies on the object (Waldo).

    Two maps over the last stage's units: ``energy``, ``sum_c h[c,i,j]²``, and ``evidence``, ``sum_c h[c,i,j] dz/dh[c,i,j]``
    with z the logit of the image's class minus the mean of the others (for a linear readout the class activation map of Zhou
    et al. 2016, arXiv 1512.04150; otherwise gradient times activation). A unit lies on the object if the middle of its
    receptive field is in the object's box or less than half a stride beside it.

    A picture: some images with the object's box and the
    evidence.

    Numbers:
        energy (share): images with an object on which the peak of the energy lies.
        energy_correct (share): energy, over the correctly classified images.
        evidence (share): images with an object on which the peak of the evidence lies.
        evidence_correct (share): evidence, over the correctly classified images.
        chance (share): for a unit drawn at random; images where no unit lies on the object included.
        accuracy (share): images with an object that are classified correctly.
        n (images): with an object.

    Args:
        max_images: the first so many test images.
    """

    max_images: int

    def __post_init__(self) -> None:
        require_at_least(self, max_images=1)

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """A forward and a backward pass of the images that hold an object."""
        if sample.objects is None:
            raise NotApplicableError("these data do not say where anything is (data=waldo does)")
        require_stages(network)
        sample = sample.first(self.max_images)
        sample = sample.rows((sample.objects[:, 0] >= 0).all(1).nonzero()[:, 0])  # type: ignore[index]
        if not len(sample):
            raise NotApplicableError("no image holds the object")
        assert sample.objects is not None
        maps = [evidence(network, batch) for batch in sample.batches()]
        energy, belief, hits = (torch.cat(parts) for parts in zip(*maps, strict=True))
        there = self._units_on(network, sample.objects, tuple(energy.shape[1:])).flatten(1)  # (N, units)
        numbers: dict[str, float] = {}
        for name, values in (("energy", energy), ("evidence", belief)):
            peak = values.flatten(1).argmax(1)
            numbers |= mean_over_subsets(there.gather(1, peak[:, None])[:, 0], hits, name)
        numbers |= {"chance": float(there.double().mean()), "accuracy": float(hits.double().mean()), "n": float(len(sample))}
        picture = (
            draw_peaks(sample.images[:SHOWN], belief[:SHOWN], sample.objects[:SHOWN], network.skeleton.receptive_fields()[-1])
            if len(sample.size) == 2
            else None
        )
        return Measurement(numbers, pictures={} if picture is None else {"evidence": picture})

    @staticmethod
    def _units_on(network: Network, objects: Tensor, units: tuple[int, ...]) -> Tensor:
        """Whether each unit of the last stage lies on the object: (N, *units)."""
        on = torch.ones(len(objects), *units, dtype=torch.bool, device=objects.device)
        for dim, (field, n) in enumerate(zip(network.skeleton.receptive_fields()[-1], units, strict=True)):
            centre = torch.tensor([field.centre(i) for i in range(n)], device=objects.device)
            low, high = objects[:, 0, dim, None] - field.stride / 2, objects[:, 1, dim, None] - 1 + field.stride / 2
            line = (centre > low) & (centre < high)  # (N, units)
            on &= line.reshape(len(objects), *(n if d == dim else 1 for d in range(len(units))))
        return on


def evidence(network: Network, sample: Sample) -> tuple[Tensor, Tensor, Tensor]:
    """Energy and evidence at every unit of the last stage, (N, *units) each, and whether the image is classified correctly."""
    features = network.features(sample.images)[-1].detach()  # (N, C, *units)
    with torch.enable_grad():
        logits = network.head(network.readout(features.requires_grad_()))
        own = logits.gather(1, sample.labels[:, None])[:, 0]
        rest = (logits.sum(1) - own) / max(1, logits.shape[1] - 1)
        (slope,) = torch.autograd.grad((own - rest).sum(), features)
    return features.detach().square().sum(1), (features.detach() * slope).sum(1), logits.argmax(1) == sample.labels
