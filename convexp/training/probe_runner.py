"""Running the probes of a run: choosing their images, measuring, and checking what they return."""

import math
import time
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from convexp.data import Dataset
from convexp.errors import ConvexpError
from convexp.probes.base import Measurement, Probe
from convexp.probes.errors import NotApplicableError
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


def measure(name: str, probe: Probe, network: nn.Module, sample: Sample) -> tuple[ProbeRecord, dict[str, Tensor]]:
    """Measure a network with one probe.

    The network's training mode and torch's random state are the same afterwards as before.

    Args:
        name: Name of the probe in the configuration.
        probe: The probe.
        network: The network to measure.
        sample: The images to measure it on.

    Returns:
        The record of the probe, which has only ``skipped``, the reason, if the probe does not apply; and the pictures under the
        names ``<probe>/<picture>``.

    Raises:
        ConvexpError: If there are no images, or a number is not finite.
    """
    if not len(sample):
        raise ConvexpError(f"probes.{name}: there are no test images")
    start, training = time.perf_counter(), network.training
    with torch.random.fork_rng([sample.images.device] if sample.images.is_cuda else []), torch.no_grad():
        try:
            found = probe.measure(network.eval(), sample)
        except NotApplicableError as reason:
            return ProbeRecord(skipped=str(reason)), {}
        except Exception as error:
            error.add_note(f"while measuring probes.{name}")
            raise
        finally:
            network.train(training)
    _check_finite(name, found)
    record = ProbeRecord(
        numbers=found.numbers,
        maps=found.maps,
        protocol=found.protocol,
        seconds=round(time.perf_counter() - start, 4),
    )
    return record, {f"{name}/{picture}": pixels for picture, pixels in found.pictures.items()}


def _check_finite(name: str, found: Measurement) -> None:
    for number, value in found.numbers.items():
        if not math.isfinite(value):
            raise ConvexpError(f"probes.{name}: the number {number} is {value}, which is not finite")


def flatten_numbers(records: Mapping[str, ProbeRecord]) -> dict[str, float]:
    """Return the numbers of all probes under the names ``<probe>/<number>``."""
    return {f"{probe}/{k}": v for probe, found in records.items() for k, v in found.numbers.items()}
