"""Sizes, fields and costs that are explained without torch are those of the networks that torch builds."""

from functools import partial

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convexp.geometry.explanation import LayerFacts, explain
from convexp.geometry.skeleton import Skeleton, Stage
from convexp.geometry.wiring import LayerCost, Wiring
from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.models import Network, layer_costs

WIRINGS = [
    (Wiring("conv"), Conv2d),
    (Wiring("conv", groups=2), partial(Conv2d, groups=2)),
    (Wiring("local"), LocallyConnected2d),
    (Wiring("local", groups=2, bias="channel"), partial(LocallyConnected2d, groups=2, bias="channel")),
    (Wiring("low_rank_local", rank=3), partial(LowRankLocallyConnected2d, rank=3)),
    (Wiring("dense"), Dense2d),
    (Wiring("global_conv"), GlobalConv2d),
]
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def drawn_stages(draw) -> Stage:
    kernel = draw(st.tuples(st.sampled_from([1, 3]), st.sampled_from([1, 3])))
    pool = draw(st.sampled_from(["none", "max", "avg", "blur", "max_blur", "aps", "max_aps"]))
    border = draw(st.sampled_from(["zeros", "circular"]))
    padding = tuple(k // 2 for k in kernel)
    return Stage(2 * draw(st.integers(1, 2)), kernel, draw(pairs), padding, (1, 1), border, pool, draw(pairs))


skeletons = st.builds(
    Skeleton,
    input_shape=st.tuples(st.just(2), st.integers(12, 16), st.integers(12, 16)),
    classes=st.integers(2, 4),
    stages=st.lists(drawn_stages(), max_size=2).map(tuple),
    readout=st.sampled_from(["flatten", "global_avg"]),
    hidden=st.lists(st.integers(1, 5), max_size=2).map(tuple),
    activation=st.sampled_from(["relu", "none", "lsa"]),
    norm=st.sampled_from(["none", "batch", "batch_unit"]),
    bias=st.booleans(),
)


@settings(deadline=None, max_examples=20)
@given(skeletons, st.sampled_from(WIRINGS))
def test_explained_costs_are_those_that_torch_counts(skeleton, wiring):
    kind, layer = wiring
    try:
        network = Network(skeleton, layer, [0.0, 0.0], [1.0, 1.0])
    except ValueError:
        assume(False)
    explained = explain(skeleton, kind)
    assert explained.total is not None
    facts = {each.name: each for each in explained.layers}
    counted: dict[str, LayerCost] = {}
    for each in layer_costs(network, skeleton.input_shape):
        name = each.name if each.name in facts else each.name.rpartition(".")[0]  # a step of a pooling
        known = counted.get(name, LayerCost(0, 0))
        counted[name] = LayerCost(known.parameters + each.parameters, known.flops + each.flops)
        if name == each.name and each.output_shape:
            assert facts[name].shape == each.output_shape
    assert {name: each.cost for name, each in facts.items() if each.cost != LayerCost(0, 0)} == counted


@settings(deadline=None, max_examples=40)
@given(skeletons)
def test_explained_fields_are_those_of_the_skeleton(skeleton):
    try:
        fields = skeleton.receptive_fields()
        skeleton.sizes()
    except ValueError:
        assume(False)
    last: dict[str, LayerFacts] = {}
    for each in explain(skeleton, Wiring("conv")).layers:
        if each.stride:
            last[each.name.rpartition(".")[0]] = each
    assert [each.field for each in last.values()] == [tuple(f.size for f in along) for along in fields]
    assert [each.stride for each in last.values()] == [tuple(f.stride for f in along) for along in fields]


def test_a_wiring_from_elsewhere_is_not_known():
    stage = Stage(4, (3, 3), (1, 1), (1, 1), (1, 1), "circular", "none", (2, 2))
    explained = explain(Skeleton((1, 8, 8), 3, (stage, stage), "global_avg", (), "relu", "none", True), Wiring("unknown"))
    assert explained.total is None
    assert [each.cost is None for each in explained.layers] == [True, True, False, False]
    assert not any(claim.known for each in explained.layers for claim in (*each.circular, *each.moved))
    assert not any(each.known for each in (*explained.circular, *explained.zero_fill))
