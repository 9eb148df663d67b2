"""Measuring a network with one probe, and checking what it returns."""

import math
import time
from dataclasses import dataclass

import torch
from torch import nn

from convexp.errors import ConvexpError
from convexp.models.forward_pass import evaluating
from convexp.probes.base import Measurement, Probe
from convexp.probes.errors import NotApplicableError
from convexp.probes.sample import Sample


@dataclass(frozen=True)
class Outcome:
    """What became of measuring a network with a probe.

    Attributes:
        found: What the probe found; empty if it does not apply.
        skipped: Why the probe does not apply to the network or the images; None if it was measured.
        seconds: How long it took; None if it does not apply.
    """

    found: Measurement
    skipped: str | None = None
    seconds: float | None = None


def measure_probe(name: str, probe: Probe, network: nn.Module, sample: Sample) -> Outcome:
    """Measure a network with one probe.

    The mode of every module and torch's random state are the same afterwards as before.

    Args:
        name: Name of the probe in the configuration.
        probe: The probe.
        network: The network to measure.
        sample: The images to measure it on.

    Raises:
        ConvexpError: If there are no images, or a number is not finite.
    """
    if not len(sample):
        raise ConvexpError(f"probes.{name}: there are no test images")
    if getattr(probe, "needs_scores", False) and not sample.scores:
        return Outcome(Measurement({}), "needs a network whose outputs are scores of the classes (task.outputs=null)")
    start = time.perf_counter()
    with torch.random.fork_rng([sample.images.device] if sample.images.is_cuda else []), torch.no_grad(), evaluating(network):
        try:
            found = probe.measure(network, sample)
        except NotApplicableError as reason:
            return Outcome(Measurement({}), str(reason))
        except Exception as error:
            if "not supported on ScriptModules" in str(error):
                return Outcome(Measurement({}), "looks into the layers by hooks, which modules of TorchScript do not have")
            error.add_note(f"while measuring probes.{name}")
            raise
    _check_finite(name, found)
    return Outcome(found, None, round(time.perf_counter() - start, 4))


def _check_finite(name: str, found: Measurement) -> None:
    for number, value in found.numbers.items():
        if not math.isfinite(value):
            raise ConvexpError(f"probes.{name}: the number {number} is {value}, which is not finite")
