"""Networks: one skeleton with interchangeable wiring, and any other network of images."""

from convexp.models.cost import LayerCost, NetworkCost, layer_costs, network_cost
from convexp.models.ensemble import Ensemble
from convexp.models.image_network import ImageNetwork
from convexp.models.match import match_number, match_width
from convexp.models.network import Network, Wiring

__all__ = [
    "Ensemble",
    "ImageNetwork",
    "LayerCost",
    "Network",
    "NetworkCost",
    "Wiring",
    "layer_costs",
    "match_number",
    "match_width",
    "network_cost",
]
