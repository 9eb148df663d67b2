"""From a trained network to the list of operations that a page runs (``convexp.records.playground_format``)."""

from convexp.models.lowering.network import Lowered, lower
from convexp.models.lowering.weights import LeftOutError

__all__ = ["LeftOutError", "Lowered", "lower"]
