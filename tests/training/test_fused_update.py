"""The update of torch's optimizers without ``step``: it is the same to the bit, and asked only where it is known."""

from copy import deepcopy
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from convexp.training.fused_update import fused_update
from convexp.training.step import Steps
from convexp.training.stepping import Clipping

ADAM = st.fixed_dictionaries(
    {
        "lr": st.sampled_from([1e-3, 0.1]),
        "betas": st.sampled_from([(0.9, 0.999), (0.5, 0.7)]),
        "weight_decay": st.sampled_from([0.0, 0.1]),
        "eps": st.sampled_from([1e-8, 1e-2]),
        "maximize": st.booleans(),
    }
)
SGD = st.fixed_dictionaries(
    {
        "lr": st.sampled_from([1e-3, 0.1]),
        "momentum": st.sampled_from([0.5, 0.9]),
        "weight_decay": st.sampled_from([0.0, 0.1]),
        "nesterov": st.booleans(),
        "maximize": st.booleans(),
    }
)
KINDS = st.one_of(
    *(st.tuples(st.just(kind), options) for kind, options in zip(("Adam", "AdamW", "SGD"), (ADAM, ADAM, SGD), strict=True))
)


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2, bias=False))


def optimizer_of(kind, net, **options):
    groups = [{"params": [*net[0].parameters()]}, {"params": [*net[2].parameters()], "weight_decay": 0.01}]
    return getattr(torch.optim, kind)(groups, **{"fused": True} | options)


def backward(net, number):
    net.zero_grad()
    net(torch.full((2, 3), number / 7 - 0.3)).square().sum().backward()


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def numbers(optimizer):
    return [value for state in optimizer.state.values() for value in state.values()]


@given(KINDS, st.lists(st.sampled_from([1.0, 0.5, 0.1]), min_size=1, max_size=5))
def test_it_is_what_step_does(kind, rates):
    """Parameters and states, with several groups, and rates and momenta that a schedule changes."""
    name, options = kind
    nets = [network(), network()]
    ours, theirs = (optimizer_of(name, net, **options) for net in nets)
    for net, optimizer in zip(nets, (ours, theirs), strict=True):
        backward(net, 0)
        optimizer.step()
    update = fused_update(ours)
    assert update is not None
    for number, rate in enumerate(rates):
        for net, optimizer in zip(nets, (ours, theirs), strict=True):
            backward(net, number)
            for group in optimizer.param_groups:
                group["lr"] = options["lr"] * rate
                if name == "SGD":
                    group["momentum"] = rate * 0.9
        update()
        theirs.step()
        assert same(nets[0].parameters(), nets[1].parameters())
        assert same(numbers(ours), numbers(theirs))


def stepped(kind, **options):
    net = network()
    optimizer = optimizer_of(kind, net, lr=0.1, **options)
    backward(net, 0)
    optimizer.step()
    return net, optimizer


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("Adam", {"fused": False}),
        ("Adam", {"fused": None}),
        ("Adam", {"amsgrad": True}),
        ("Adam", {"decoupled_weight_decay": True}),
        ("Adam", {"lr": torch.tensor(0.1)}),
        ("SGD", {}),
        ("Adagrad", {}),
    ],
)
def test_what_is_not_known_is_left_to_step(kind, options):
    net = network()
    optimizer = optimizer_of(kind, net, **{"lr": 0.1} | options)
    backward(net, 0)
    optimizer.step()
    assert fused_update(optimizer) is None


def test_an_option_of_a_later_version_of_torch_is_left_to_step():
    _, optimizer = stepped("AdamW")
    assert fused_update(optimizer) is not None
    optimizer.defaults["cautious"] = False
    optimizer.param_groups[1]["cautious"] = True
    assert fused_update(optimizer) is None
    optimizer.param_groups[1]["cautious"] = False
    optimizer.param_groups[1]["max_lr"] = 0.1  # which a schedule notes there
    assert fused_update(optimizer) is not None


def test_before_its_first_step_an_optimizer_has_no_states():
    optimizer = optimizer_of("Adam", network(), lr=0.1)
    assert fused_update(optimizer) is None
    assert not optimizer.state  # asking for them makes none


def test_a_class_of_a_user_may_do_more():
    class Own(torch.optim.Adam):
        pass

    net = network()
    optimizer = Own(net.parameters(), fused=True)
    backward(net, 0)
    optimizer.step()
    assert fused_update(optimizer) is None


def register_for_all(optimizer, hook):
    return register_optimizer_step_post_hook(hook)


@pytest.mark.parametrize(
    "register",
    [torch.optim.Optimizer.register_step_pre_hook, torch.optim.Optimizer.register_step_post_hook, register_for_all],
)
def test_hooks_are_called(register):
    _, optimizer = stepped("Adam")
    handle = register(optimizer, lambda *_: None)
    assert fused_update(optimizer) is None
    handle.remove()
    assert fused_update(optimizer) is not None


def test_a_parameter_without_gradient_is_left_alone():
    """As ``step`` leaves it, also if it had gradients before."""
    (net, ours), (other, theirs) = stepped("Adam"), stepped("Adam")
    update = fused_update(ours)
    for each in (net, other):
        backward(each, 1)
        each[2].weight.grad = None
    before = net[2].weight.detach().clone()
    update()
    theirs.step()
    assert same(net.parameters(), other.parameters())
    assert torch.equal(net[2].weight, before)


def test_frozen_parameters_stay():
    net = network()
    net[2].weight.requires_grad_(False)
    optimizer = optimizer_of("Adam", net, lr=0.1)
    backward(net, 0)
    optimizer.step()
    update, before = fused_update(optimizer), deepcopy(net)
    backward(net, 1)
    update()
    assert torch.equal(net[2].weight, before[2].weight)
    assert not torch.equal(net[0].weight, before[0].weight)


def passes(net, number):
    backward(net, number)
    return torch.tensor(float(number)), {}, 1


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.Adagrad])
@pytest.mark.parametrize("clip", [Clipping(), Clipping(0.01), Clipping(0.01, "value")])
def test_steps_are_those_of_the_optimizer_however_they_are_made(kind, clip):
    """With clipping and a schedule, which warns if the optimizer has not stepped before it."""
    net, other = network(), network()
    ours, theirs = (kind(each.parameters(), lr=0.1, fused=True) for each in (net, other))
    schedules = [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10) for optimizer in (ours, theirs)]
    steps = Steps(ours, clip, schedules[:1])
    for number in range(5):
        loss, *_ = steps(partial(passes, net, number))
        assert float(loss) == number
        backward(other, number)
        clip(other.parameters())
        theirs.step()
        schedules[1].step()
        assert same(net.parameters(), other.parameters())
    assert schedules[0].get_last_lr() == schedules[1].get_last_lr() != [0.1]


def test_of_an_optimizer_that_computes_the_loss_several_times_the_first_counts():
    net, calls = network(), []

    def once():
        calls.append(len(calls))
        backward(net, 0)
        return net(torch.ones(2, 3)).square().sum().detach(), {}, calls[-1]

    steps = Steps(torch.optim.LBFGS(net.parameters(), max_iter=4), Clipping(), ())
    for _ in range(2):
        before = len(calls)
        assert steps(once)[2] == before
        assert len(calls) > before + 1
