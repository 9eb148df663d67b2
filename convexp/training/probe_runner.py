"""The probes of a run: their images, their records, their numbers."""

from collections.abc import Mapping

import torch
from torch import nn

from convexp.data import Dataset
from convexp.probes.base import Probe
from convexp.probes.pictures import Pictures
from convexp.probes.running import measure_probe
from convexp.probes.sample import Sample
from convexp.records.record import ProbeRecord


def probe_sample(data: Dataset, probes: Mapping[str, Probe], device: torch.device, scores: bool) -> Sample:
    """Return the first test images on ``device``, as many as the largest ``max_images`` among the probes.

    Args:
        data: The data set.
        probes: The probes by name.
        device: Device of the network.
        scores: Whether the network's outputs are scores of the classes.
    """
    wanted = [getattr(probe, "max_images", 1) for probe in probes.values()]
    n = min(max(wanted, default=0), len(data.test))
    images, labels = data.test.first(n)
    canvas, objects = data.test.first_on_canvas(n), data.objects
    return Sample(
        images.to(device),
        labels.to(device),
        None if canvas is None else canvas.to(device),
        None if objects is None else objects[:n].to(device),
        scores=scores,
        class_names=data.class_names,
        hierarchy=data.hierarchy,
        order=None if (view := data.test.view) is None or view.order is None else view.order.to(device),
    )


def measure(name: str, probe: Probe, network: nn.Module, sample: Sample) -> tuple[ProbeRecord, Pictures]:
    """Measure a network with one probe, as ``convexp.probes.running.measure_probe`` does, for the record of a run.

    Returns:
        The record of the probe, which has only ``skipped``, the reason, if the probe does not apply; and the pictures under the
        names ``<probe>/<picture>``.
    """
    outcome = measure_probe(name, probe, network, sample)
    if outcome.skipped is not None:
        return ProbeRecord(skipped=outcome.skipped), {}
    found = outcome.found
    record = ProbeRecord(numbers=found.numbers, maps=found.maps, protocol=found.protocol, seconds=outcome.seconds)
    return record, {f"{name}/{picture}": pixels for picture, pixels in found.pictures.items()}


def flatten_numbers(records: Mapping[str, ProbeRecord]) -> dict[str, float]:
    """Return the numbers of all probes under the names ``<probe>/<number>``."""
    return {f"{probe}/{k}": v for probe, found in records.items() for k, v in found.numbers.items()}
