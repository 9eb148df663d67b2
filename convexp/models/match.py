"""What compared networks have in common: units, parameters or FLOPs (docs/design.md, section 2)."""

from collections.abc import Callable
from functools import cache

import torch

from convexp.errors import ConfigError
from convexp.geometry.skeleton import Skeleton
from convexp.geometry.width import WIDEST, BudgetError, nearest_width
from convexp.models.cost import LayerCost, layer_costs
from convexp.models.network import Network, Wiring


def match_width(skeleton: Skeleton, wiring: Wiring, match: str) -> float:
    """Return the width, a factor on all channels and hidden units, at which the network's cost is nearest to a budget.

    Nothing is computed or allocated: the networks are built on the meta device.

    Args:
        skeleton: The network at width 1, without its wiring.
        wiring: Makes the layer of every stage.
        match: ``units`` (the width stays 1), ``params:N`` or ``flops:N`` (FLOPs of the forward pass of one image).

    Raises:
        ConfigError: If even the narrowest network costs more than the budget, or the widest less.
    """
    if match == "units":
        return 1.0

    def cost(width: float) -> int:
        with torch.device("meta"):
            channels = skeleton.input_shape[0]
            network = Network(skeleton.scaled(width), wiring, [0.0] * channels, [1.0] * channels)
        return _cost_of(match.partition(":")[0], layer_costs(network, skeleton.input_shape))

    try:
        return nearest_width(match, cost)
    except BudgetError as error:
        raise ConfigError(str(error)) from None


def match_number(match: str, step: int, count: Callable[[int], list[LayerCost]]) -> int:
    """Return the multiple of ``step`` at which a network's cost is nearest to a budget.

    Args:
        match: ``params:N`` or ``flops:N`` (FLOPs of the forward pass of one image).
        step: The number that the width has to be a multiple of.
        count: Counts the layers of the network of a width. The cost has to grow with the width.

    Raises:
        ConfigError: If even the narrowest network costs more than the budget, or the widest less.
    """
    kind, _, number = match.partition(":")
    budget = int(number)

    @cache
    def cost(steps: int) -> int:
        return _cost_of(kind, count(steps * step))

    low, high = 1, 2
    if cost(low) > budget:
        raise ConfigError(f"match={match}: even a width of {step} makes {cost(low):,} {kind}; ask for that many or more")
    while cost(high) < budget:
        low, high = high, 2 * high
        if high > WIDEST:
            raise ConfigError(f"match={match}: a width of {low * step} still makes fewer {kind}; ask for less")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if cost(middle) > budget else (middle, high)
    return step * min((low, high), key=lambda steps: abs(cost(steps) - budget))


def _cost_of(kind: str, layers: list[LayerCost]) -> int:
    return sum(layer.parameters if kind == "params" else layer.flops for layer in layers)
