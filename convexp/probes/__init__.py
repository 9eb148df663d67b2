"""Probes measure trained networks: ``measure(module, images, labels, probes)`` on any module, with numbers, maps and pictures.

Each probe is a class with a method ``measure(network, sample)`` (docs/probes.md).
"""

from convexp.probes.base import Measurement, Probe
from convexp.probes.errors import NotApplicableError
from convexp.probes.measuring import measure
from convexp.probes.results import Measurements, ProbeResult
from convexp.probes.sample import Sample

__all__ = ["Measurement", "Measurements", "NotApplicableError", "Probe", "ProbeResult", "Sample", "measure"]
