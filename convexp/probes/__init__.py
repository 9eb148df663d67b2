"""Probes: ``measure(network, images, labels) -> numbers, maps, pictures``."""

from convexp.probes.base import Measurement, NotApplicableError, Probe

__all__ = ["Measurement", "NotApplicableError", "Probe"]
