"""Groups of parameters, Muon with AdamW, and the moving average of the weights."""

import copy

import pytest
import pytorch_lightning as pl
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from convexp.config.schema.optimizer import ParameterGroup
from convexp.training.ema import MovingAverage
from convexp.training.optimizers import muon
from convexp.training.parameter_groups import GroupedOptimizer, assign, kinds_of


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 4), nn.LayerNorm(4), nn.Linear(4, 3))


NAMES = [name for name, _ in network().named_parameters()]
RULES = st.one_of(
    st.fixed_dictionaries({"kind": st.lists(st.sampled_from(["bias", "norm", "readout"]), min_size=1)}),
    st.fixed_dictionaries({"name": st.sampled_from(["0.*", "*.weight", "*", "3.bias"])}),
)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from("abcd"), RULES, max_size=4))
def test_groups_are_a_partition_of_the_parameters(rules):
    made = {name: ParameterGroup(**rule) for name, rule in rules.items()}
    try:
        groups = assign(network(), made)
    except ValueError:  # an earlier rule has taken all that a later one chooses
        assert len(rules) > 1
        return
    assert sorted(name for names in groups.values() for name in names) == sorted(NAMES)
    assert all(groups.values())


def test_kinds_of_parameters():
    kinds = kinds_of(network())
    assert {name for name, its in kinds.items() if "norm" in its} == {"1.weight", "1.bias", "4.weight", "4.bias"}
    assert {name for name, its in kinds.items() if "bias" in its} == {name for name in NAMES if name.endswith("bias")}
    assert {name for name, its in kinds.items() if "readout" in its} == {"5.weight", "5.bias"}


def test_a_group_has_its_own_settings_and_foreign_parameters_those_of_the_rest():
    net, rules = (
        network(),
        {"still": ParameterGroup(kind=["bias", "norm"], weight_decay=0.0), "out": ParameterGroup(name="5.*", lr=1)},
    )

    def make(groups):
        return torch.optim.AdamW(groups, lr=0.1, weight_decay=0.3)

    foreign = nn.Parameter(torch.zeros(3))
    optimizer = GroupedOptimizer(make, net, rules)([*net.parameters(), foreign])
    rest, still, out = optimizer.param_groups
    assert (rest["lr"], still["lr"], out["lr"]) == (0.1, 0.1, 1)
    assert (rest["weight_decay"], still["weight_decay"], out["weight_decay"]) == (0.3, 0.0, 0.3)
    assert any(parameter is foreign for parameter in rest["params"])
    assert [parameter.shape for parameter in out["params"]] == [(3, 4)]


needs_muon = pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")


def steps(net, optimizers, n=3):
    for i in range(n):
        for parameter in net.parameters():
            parameter.grad = torch.sin(parameter.detach() + i)
        for optimizer in optimizers:
            optimizer.step()
    return [parameter.detach().clone() for parameter in net.parameters()]


@needs_muon
def test_muon_is_muon_on_matrices_and_adamw_elsewhere():
    one, two = network(), network()
    together = steps(one, [muon(one.parameters(), lr=0.01, weight_decay=0.1)])
    matrices = [p for p in two.parameters() if p.ndim == 2]
    others = [p for p in two.parameters() if p.ndim != 2]
    parts = [torch.optim.Muon(matrices, lr=0.01, weight_decay=0.1), torch.optim.AdamW(others, lr=0.01, weight_decay=0.1)]
    assert all(map(torch.equal, together, steps(two, parts)))


@needs_muon
def test_a_group_has_a_rate_of_its_own_for_adamw():
    net = network()
    first, *rest = net.parameters()
    optimizer = muon([{"params": [first], "adamw_lr": 9.0}, {"params": rest, "lr": 0.02, "adamw_lr": 3.0}], lr=0.01)
    rates = {id(parameter): group["lr"] for group in optimizer.param_groups for parameter in group["params"]}
    expected = {
        id(p): (0.01 if p is first else 0.02) if p.ndim == 2 else (9.0 if p is first else 3.0) for p in net.parameters()
    }
    assert rates == expected
    assert not any("adamw_lr" in group for group in optimizer.param_groups)


@needs_muon
def test_muon_goes_on_from_its_state_and_follows_a_schedule():
    whole, first = network(), network()
    optimizer = muon(whole.parameters(), lr=0.01)
    steps(whole, [optimizer])
    begun = muon(first.parameters(), lr=0.01)
    steps(first, [begun])
    resumed = muon(first.parameters(), lr=0.5)
    resumed.load_state_dict(copy.deepcopy(begun.state_dict()))
    for each in (optimizer, resumed):
        assert [group["lr"] for group in each.param_groups] == [0.01, 0.01]
        for group in each.param_groups:
            group["lr"] = 0.003  # as a schedule does
    assert all(map(torch.equal, steps(whole, [optimizer]), steps(first, [resumed])))


@needs_muon
def test_muon_refuses_a_network_without_matrices():
    with pytest.raises(ValueError, match="matrices only"):
        muon(nn.Conv2d(1, 2, 3).parameters(), lr=0.1)


class Still(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.register_buffer("constant", torch.rand(3))


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 0.99))
def test_the_average_follows_its_formula_and_with_decay_0_is_the_last_weights(decay):
    torch.manual_seed(0)
    module, average = Still(), MovingAverage(decay)
    average.setup(None, module, "fit")
    expected, constant = None, module.constant.clone()
    for i in range(4):
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(torch.sin(parameter * 3 + i))
        average._average_model.update_parameters(module)
        now = module.network[0].weight.detach().double().clone()
        expected = now if expected is None else decay * expected + (1 - decay) * now
    before = module.network[0].weight.detach().clone()
    with average.applied_to(module):
        torch.testing.assert_close(module.network[0].weight.detach().double(), expected, rtol=1e-5, atol=1e-6)
        assert torch.equal(module.constant, constant)  # what does not change stays as it is, to the last bit
        if decay == 0:
            assert torch.equal(module.network[0].weight.detach(), before)
    assert torch.equal(module.network[0].weight.detach(), before)
