"""Probes measure trained networks: ``probe.measure(network, sample)`` returns numbers, maps and pictures (docs/probes.md)."""

from convexp.probes.base import Measurement, Probe
from convexp.probes.errors import NotApplicableError
from convexp.probes.sample import Sample

__all__ = ["Measurement", "NotApplicableError", "Probe", "Sample"]
