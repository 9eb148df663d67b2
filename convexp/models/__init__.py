"""Networks: one skeleton with interchangeable wiring."""

from convexp.models.cost import LayerCount, count
from convexp.models.match import match_width
from convexp.models.network import Network, Wiring

__all__ = ["LayerCount", "Network", "Wiring", "count", "match_width"]
