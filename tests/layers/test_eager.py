"""Plain tensors in eager code are computed past torch's dispatcher: with the same bits, and only where nobody looks on."""

import pytest
import torch
from cases import any_layer, few, images, make, seeds
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import forward_ad
from torch.func import grad, vmap
from torch.utils.flop_counter import FlopCounterMode

from convexp.layers import LocallyConnected2d, autograd, cost, eager
from convexp.layers.convert import LOCAL

SMALL = {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "input_size": (5, 4), "padding": 1}


@pytest.fixture
def looked_on(monkeypatch):
    """Whether anybody looked on, for every call."""
    answers = []
    asked = eager.nobody_looks_on

    def ask(*tensors):
        answers.append(not asked(*tensors))
        return not answers[-1]

    monkeypatch.setattr(eager, "nobody_looks_on", ask)
    return answers


@few
@given(any_layer, seeds, st.sampled_from([torch.float32, torch.float64]))  # the first of them in C
def test_the_same_bits_as_by_the_operators_in_every_order_of_derivative(geometry, seed, dtype):
    torch.manual_seed(seed)
    geometry["padding_mode"] = "zeros"
    layer = make(LOCAL[len(geometry["input_size"])], geometry)
    operands = [t.detach().to(dtype).requires_grad_() for t in (images(layer), layer.kernel, layer.bias)]
    above = torch.randn(3, *layer(images(layer)).shape[1:], dtype=dtype)

    def derivatives(function):
        y = function(*operands, layer.stride, layer.padding, layer.dilation)
        once = torch.autograd.grad(y, operands, above, retain_graph=True)
        again = torch.autograd.grad(y, operands, above, create_graph=True)
        twice = torch.autograd.grad(sum(g.square().sum() for g in again), operands[:2])
        return y, *once, *again, *twice

    for found, expected in zip(derivatives(eager.locally_connected), derivatives(autograd.locally_connected), strict=True):
        assert torch.equal(found, expected)
        assert found.stride() == expected.stride()


def test_only_the_gradients_that_are_wanted_are_computed(looked_on, monkeypatch):
    layer = LocallyConnected2d(**SMALL)
    for name in ("input_gradient", "gradients"):
        monkeypatch.setattr(eager.by_shape, name, None)  # would fail
    layer(torch.randn(3, 2, 5, 4)).sum().backward()
    assert layer.weight.grad is not None
    assert not any(looked_on)
    assert len(looked_on) == 2


def test_inference_is_eager_too(looked_on):
    layer = LocallyConnected2d(**SMALL)
    x = torch.randn(3, 2, 5, 4)
    expected = layer(x)
    with torch.inference_mode():
        assert torch.equal(layer(x.clone()), expected)
    assert looked_on == [False, False]


def counted(layer, x):
    with FlopCounterMode(display=False) as counter:
        layer(x)
    assert counter.get_total_flops() == cost(layer, len(x)).forward_flops


def mapped(layer, x):
    vmap(layer)(x[:, None])


def transformed(layer, x):
    grad(lambda x: layer(x).sum())(x)


def forwards(layer, x):
    with forward_ad.dual_level():
        layer(forward_ad.make_dual(x, x))


def traced(layer, x):
    torch.jit.trace(layer, x, check_trace=False)


def of_another_class(layer, x):
    class Named(torch.Tensor):
        pass

    assert type(layer(x.as_subclass(Named))) is Named


def on_another_device(layer, x):
    layer.to("meta")(x.to("meta"))


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning", "ignore::DeprecationWarning:torch.jit.*")
@pytest.mark.parametrize(
    "look",
    [counted, mapped, transformed, forwards, traced, of_another_class, on_another_device],
    ids=lambda look: look.__name__,
)
def test_who_looks_on_sees_the_operators(look, looked_on):
    layer = LocallyConnected2d(**SMALL)
    look(layer, torch.randn(3, 2, 5, 4))
    assert looked_on
    assert all(looked_on)


def test_who_looks_on_the_backward_pass_alone_sees_the_operators(looked_on):
    layer = LocallyConnected2d(**SMALL)
    x = torch.randn(3, 2, 5, 4, requires_grad=True)
    y = layer(x)
    wanted = (x, layer.weight)
    expected = torch.autograd.grad(y, wanted, torch.ones_like(y), retain_graph=True)
    assert looked_on == [False, False]
    with FlopCounterMode(display=False) as counter:
        torch.autograd.grad(y, wanted, torch.ones_like(y), retain_graph=True)
    assert counter.get_total_flops() == cost(layer, 3).backward_flops
    found = torch.autograd.grad(y, wanted, torch.ones(4, *y.shape), retain_graph=True, is_grads_batched=True)
    for stacked, alone in zip(found, expected, strict=True):
        torch.testing.assert_close(stacked, alone.expand_as(stacked))
    assert looked_on == [False, False, True, True]
