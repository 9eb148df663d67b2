"""Measuring a network with one probe, and checking what it returns."""

import json
import math
import time
import warnings
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

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

    The mode of every module and torch's random state are the same afterwards as before. So are parameters and buffers: if a
    probe of the user's own has changed any, as batch normalisation does in training mode, a warning says so.

    Args:
        name: Name of the probe in the configuration.
        probe: The probe.
        network: The network to measure.
        sample: The images to measure it on.

    Raises:
        ConvexpError: If there are no images, if the probe returns no ``Measurement``, or if a number is none or not finite.
    """
    if not len(sample):
        raise ConvexpError(f"probes.{name}: there are no test images")
    if getattr(probe, "needs_scores", False) and not sample.scores:
        return Outcome(Measurement({}), "needs a network whose outputs are scores of the classes (task.outputs=null)")
    start = time.perf_counter()
    with (
        torch.random.fork_rng([sample.images.device] if sample.images.is_cuda else []),
        torch.no_grad(),
        evaluating(network),
        _kept(name, probe, network),
    ):
        try:
            found = probe.measure(network, sample)
        except NotApplicableError as reason:
            return Outcome(Measurement({}), str(reason))
        except Exception as error:
            if "not supported on ScriptModules" in str(error):
                return Outcome(Measurement({}), "looks into the layers by hooks, which modules of TorchScript do not have")
            error.add_note(f"while measuring probes.{name}")
            raise
    found = _plain_measurement(name, found) if _is_own(probe) else found
    numbers = {number: _finite(f"probes.{name}: the number {number}", value) for number, value in found.numbers.items()}
    return Outcome(replace(found, numbers=numbers), None, round(time.perf_counter() - start, 4))


def _is_own(probe: Probe) -> bool:
    """Whether a probe is the user's own."""
    return type(probe).__module__.partition(".")[0] != "convexp"


@contextmanager
def _kept(name: str, probe: Probe, network: nn.Module) -> Generator[None]:
    """A context after which parameters and buffers are what they were, whatever a probe of the user's own has done."""
    if not _is_own(probe):
        yield
        return
    tensors = {each: tensor for each, tensor in _tensors(network) if tensor.layout is torch.strided and not is_lazy(tensor)}
    before = {each: tensor.detach().clone() for each, tensor in tensors.items()}
    try:
        yield
    finally:
        now = dict(_tensors(network))
        others = [each for each, tensor in before.items() if each not in now or not _equal(now[each], tensor)]
        for each in others:
            module, _, attribute = each.rpartition(".")
            tensors[each].data = before[each]
            setattr(network.get_submodule(module), attribute, tensors[each])
        if others:
            what = f"{others[0]}{f' and {len(others) - 1} more' if others[1:] else ''}"
            warnings.warn(
                f"probes.{name}: changed {what} of the network, which is put back; measure a copy of it", stacklevel=3
            )


def _tensors(network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    return chain(network.named_parameters(), network.named_buffers())


def _equal(tensor: Tensor, before: Tensor) -> bool:
    """Whether a tensor has the type, the place and the bits of before, so that NaN equals itself."""
    if any(getattr(tensor, name) != getattr(before, name) for name in ("dtype", "device", "shape", "layout")):
        return False
    return torch.equal(tensor, before) or bool(((tensor == before) | (tensor != tensor) & (before != before)).all())


def _plain_measurement(name: str, found: object) -> Measurement:
    """What a probe of the user's own returned, with maps that JSON can hold."""
    if not isinstance(found, Measurement):
        raise ConvexpError(f"probes.{name}: returned a {type(found).__name__}; should return a convexp.probes.Measurement")
    try:
        maps = _plain(found.maps)
        json.dumps(maps)
    except (TypeError, ValueError) as error:
        raise ConvexpError(f"probes.{name}: maps: {error}; should be plain lists and dictionaries") from None
    return replace(found, maps=maps)


def _plain(value: Any) -> Any:
    """A value with tensors and arrays as lists, and numbers of NumPy as Python's, also as keys."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.tolist() if isinstance(value, Tensor | np.ndarray | np.generic) else value


def _finite(what: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise ConvexpError(f"{what} is a {type(value).__name__}; should be a float") from None
    if not math.isfinite(number):
        raise ConvexpError(f"{what} is {number}, which is not finite")
    return value if type(value) in (int, float) else number
