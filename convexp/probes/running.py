"""Measuring a network with one probe, and checking what it returns."""

import math
import time

import torch
from torch import Tensor, nn

from convexp.errors import ConvexpError
from convexp.models.forward_pass import evaluating
from convexp.probes.base import Measurement, Probe
from convexp.probes.errors import NotApplicableError
from convexp.probes.sample import Sample
from convexp.records.record import ProbeRecord


def measure_probe(name: str, probe: Probe, network: nn.Module, sample: Sample) -> tuple[ProbeRecord, dict[str, Tensor]]:
    """Measure a network with one probe.

    The mode of every module and torch's random state are the same afterwards as before.

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
    start = time.perf_counter()
    with torch.random.fork_rng([sample.images.device] if sample.images.is_cuda else []), torch.no_grad(), evaluating(network):
        try:
            found = probe.measure(network, sample)
        except NotApplicableError as reason:
            return ProbeRecord(skipped=str(reason)), {}
        except Exception as error:
            error.add_note(f"while measuring probes.{name}")
            raise
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
