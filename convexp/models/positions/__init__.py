"""Where on the image the units of a feature map lie, found by following the operations of one forward pass."""

from convexp.models.positions.axes import MapPositions
from convexp.models.positions.trace import Tracer

__all__ = ["MapPositions", "Tracer"]
