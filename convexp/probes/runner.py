"""Doing the probes of a run: on which images, and what comes of each."""

import math
import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from convexp.data import Dataset
from convexp.errors import ConvexpError
from convexp.models import Network
from convexp.probes.base import NotApplicableError, Probe, Sample


def first_images(data: Dataset, probes: Mapping[str, Probe], device: torch.device) -> Sample:
    """As many of the first test images as the probes want to see, on ``device``."""
    wanted = [getattr(probe, "max_images", 1) for probe in probes.values()]
    n = min(max(wanted, default=0), len(data.test))
    images, labels = data.test.first(n)
    canvas, objects = data.test.larger(n), data.objects
    return Sample(
        images.to(device),
        labels.to(device),
        None if canvas is None else canvas.to(device),
        None if objects is None else objects[:n].to(device),
    )


def measure(name: str, probe: Probe, network: Network, sample: Sample) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a probe found, ``{numbers, maps, protocol, seconds}`` or ``{skipped: why}``, and its pictures by ``probe/picture``.

    The network's mode is left as it was, and so is torch's random state.

    Raises:
        ConvexpError: naming the probe, if there are no images, or a number of it is none.
    """
    if not len(sample):
        raise ConvexpError(f"probes.{name}: there are no test images")
    start, training = time.perf_counter(), network.training
    with torch.random.fork_rng([sample.images.device] if sample.images.is_cuda else []), torch.no_grad():
        try:
            found = probe.measure(network.eval(), sample)
        except NotApplicableError as reason:
            return {"skipped": str(reason)}, {}
        except Exception as error:
            error.add_note(f"while measuring probes.{name}")
            raise
        finally:
            network.train(training)
    if wrong := [k for k, v in found.numbers.items() if not math.isfinite(v)]:
        raise ConvexpError(f"probes.{name}: {wrong[0]} is {found.numbers[wrong[0]]}, which is no measurement")
    result = {
        "numbers": found.numbers,
        "maps": found.maps,
        "protocol": found.protocol,
        "seconds": round(time.perf_counter() - start, 4),
    }
    return result, {f"{name}/{picture}": pixels for picture, pixels in found.pictures.items()}


def by_name(results: Mapping[str, dict[str, Any]]) -> dict[str, float]:
    """All numbers as ``<probe>/<number>``."""
    return {f"{probe}/{k}": v for probe, found in results.items() for k, v in found.get("numbers", {}).items()}
