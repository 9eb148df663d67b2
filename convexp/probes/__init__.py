"""Probes: ``measure(network, sample) -> numbers, maps, pictures``, a sample being images, labels and what is known of them."""

from convexp.probes.base import Measurement, NotApplicableError, Probe, Sample

__all__ = ["Measurement", "NotApplicableError", "Probe", "Sample"]
