from functools import cache, partial
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convexp.errors import ConfigError
from convexp.geometry.skeleton import Skeleton, Stage
from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d
from convexp.models import Network, layer_costs, match_width

STAGE = Stage(4, (3, 3), (2, 2), (1, 1), (1, 1), "zeros", "none", (2, 2))
SKELETON = Skeleton((1, 6, 6), 3, (STAGE,), "flatten", (5,), "relu", "none", True)
WIRINGS = {
    "conv": Conv2d,
    "dense": Dense2d,
    "global_conv": GlobalConv2d,
    "local": LocallyConnected2d,
    "local_channel": partial(LocallyConnected2d, bias="channel"),
}
COSTS = [(wiring, kind) for wiring in WIRINGS for kind in ("params", "flops")]


def cost(skeleton: Skeleton, wiring: str, kind: str) -> int:
    with torch.device("meta"):
        layers = layer_costs(Network(skeleton, WIRINGS[wiring], [0.0], [1.0]), skeleton.input_shape)
    return sum(layer.parameters if kind == "params" else layer.flops for layer in layers)


@cache
def reachable(wiring: str, kind: str) -> list[int]:
    """The counts of all networks up to four times the width, ascending."""
    edges = sorted({(k + 0.5) / n for n in (4, 5) for k in range(1, 4 * n)})
    widths = [0.0, *((a + b) / 2 for a, b in pairwise(edges))]
    return sorted({cost(SKELETON.scaled(width), wiring, kind) for width in widths})


@pytest.mark.parametrize(("wiring", "kind"), COSTS)
def test_no_reachable_network_is_nearer(wiring, kind):
    counts = reachable(wiring, kind)

    @settings(deadline=None, max_examples=3)
    @given(st.integers(counts[0], counts[-1]))
    def check(budget: int) -> None:
        reached = cost(SKELETON.scaled(match_width(SKELETON, WIRINGS[wiring], f"{kind}:{budget}")), wiring, kind)
        assert abs(reached - budget) == min(abs(n - budget) for n in counts)

    check()


@pytest.mark.parametrize(("wiring", "kind"), COSTS)
def test_a_count_that_can_be_reached_is_reached(wiring, kind):
    for budget in reachable(wiring, kind)[7::20]:
        width = match_width(SKELETON, WIRINGS[wiring], f"{kind}:{budget}")
        assert cost(SKELETON.scaled(width), wiring, kind) == budget


@pytest.mark.parametrize("wiring", WIRINGS)
def test_units_leaves_the_width(wiring):
    width = match_width(SKELETON, WIRINGS[wiring], "units")
    assert width == 1
    assert SKELETON.scaled(width) == SKELETON


@pytest.mark.parametrize(("wiring", "kind"), COSTS)
def test_a_budget_below_the_narrowest_network(wiring, kind):
    least = reachable(wiring, kind)[0]
    with pytest.raises(ConfigError, match=f"match={kind}:{least - 1}: even one channel per stage makes {least:,} {kind}"):
        match_width(SKELETON, WIRINGS[wiring], f"{kind}:{least - 1}")


@pytest.mark.parametrize("kind", ["params", "flops"])
def test_a_budget_above_the_widest_network(kind):
    with pytest.raises(ConfigError, match=f"match={kind}:{10**15}: 4096 times the width still makes fewer {kind}"):
        match_width(SKELETON, Conv2d, f"{kind}:{10**15}")


def test_a_network_without_width_has_one_count():
    linear = Skeleton((1, 6, 6), 3, (), "flatten", (), "relu", "none", True)
    assert linear.scaled(match_width(linear, Conv2d, f"params:{36 * 3 + 3}")) == linear
    for budget in (36 * 3 + 2, 36 * 3 + 4):
        with pytest.raises(ConfigError, match=f"match=params:{budget}"):
            match_width(linear, Conv2d, f"params:{budget}")


def test_matching_leaves_the_random_state():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    match_width(SKELETON, LocallyConnected2d, "params:500")
    assert torch.equal(torch.rand(3), expected)
