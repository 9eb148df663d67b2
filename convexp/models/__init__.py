"""Networks: one skeleton with interchangeable wiring."""

from convexp.models.cost import LayerCost, NetworkCost, layer_costs, network_cost
from convexp.models.match import match_width
from convexp.models.network import Network, Wiring

__all__ = ["LayerCost", "Network", "NetworkCost", "Wiring", "layer_costs", "match_width", "network_cost"]
