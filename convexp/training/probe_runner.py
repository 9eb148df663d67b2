"""The images and the numbers of the probes of a run."""

from collections.abc import Mapping

import torch

from convexp.data import Dataset
from convexp.probes.base import Probe
from convexp.probes.sample import Sample
from convexp.records.record import ProbeRecord


def probe_sample(data: Dataset, probes: Mapping[str, Probe], device: torch.device) -> Sample:
    """Return the first test images on ``device``, as many as the largest ``max_images`` among the probes."""
    wanted = [getattr(probe, "max_images", 1) for probe in probes.values()]
    n = min(max(wanted, default=0), len(data.test))
    images, labels = data.test.first(n)
    canvas, objects = data.test.first_on_canvas(n), data.objects
    return Sample(
        images.to(device),
        labels.to(device),
        None if canvas is None else canvas.to(device),
        None if objects is None else objects[:n].to(device),
    )


def flatten_numbers(records: Mapping[str, ProbeRecord]) -> dict[str, float]:
    """Return the numbers of all probes under the names ``<probe>/<number>``."""
    return {f"{probe}/{k}": v for probe, found in records.items() for k, v in found.numbers.items()}
