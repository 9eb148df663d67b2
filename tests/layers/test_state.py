from pathlib import Path

import pytest
import torch
from cases import any_layer, close, few, images, make, seeds
from hypothesis import given
from torch import nn

from convexp.layers import (
    LazyLocallyConnected1d,
    LazyLocallyConnected2d,
    LazyLocallyConnected3d,
    LocallyConnected2d,
)
from convexp.layers.convert import LOCAL

LAZY = {1: LazyLocallyConnected1d, 2: LazyLocallyConnected2d, 3: LazyLocallyConnected3d}


def as_once_saved(layer):
    """The layer's state as it was once saved: the weights as ``kernel``, in the literature's order."""
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    return state | {"kernel": layer.in_literature_order(state.pop("weight")).contiguous()}


@few
@given(any_layer, seeds)
def test_a_state_dict_holds_the_parameters_themselves_and_brings_them_in_either_order(geometry, seed):
    torch.manual_seed(seed)
    kind = LOCAL[len(geometry["input_size"])]
    layer = make(kind, geometry)
    state, x = layer.state_dict(), images(layer)
    assert {name: value.shape for name, value in state.items()} == {n: p.shape for n, p in layer.named_parameters()}
    c, o, g = (geometry[name] for name in ("in_channels", "out_channels", "groups"))
    assert layer.kernel.shape == (*layer.output_size, o, c // g, *geometry["kernel_size"])
    for brought in (state, as_once_saved(layer)):
        for assign in (False, True):
            other = make(kind, geometry)
            other.load_state_dict(brought, assign=assign)
            assert other.weight.is_contiguous()
            assert torch.equal(other.kernel, layer.kernel)
            assert torch.equal(other(x), layer(x))


def test_a_state_saved_before():
    saved = torch.load(Path(__file__).with_name("older_state.pt"), weights_only=True)
    net = nn.Sequential(
        LocallyConnected2d(1, 2, (1, 3), 5),
        nn.ReLU(),
        LocallyConnected2d(2, 2, 2, (5, 3), stride=(2, 1), bias="channel"),
    )
    net.load_state_dict(saved["state_dict"])
    torch.testing.assert_close(net(saved["input"]), saved["output"])


def test_state_inside_a_network_and_through_a_file(tmp_path):
    def network():
        return nn.Sequential(LocallyConnected2d(2, 3, (1, 3), 5), nn.ReLU(), LocallyConnected2d(3, 2, 2, (5, 3)))

    net, other = network(), network()
    torch.save(net.state_dict(), tmp_path / "state.pt")
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    x = torch.randn(2, 2, 5, 5)
    assert torch.equal(other(x), net(x))
    state = net.state_dict()
    with torch.no_grad():
        state["0.weight"].zero_()  # a state dict shares memory with its module, as everywhere in torch
    assert (net[0].weight == 0).all()


def test_a_state_of_another_size_is_refused():
    layer = LocallyConnected2d(2, 3, 3, 5)
    with pytest.raises(RuntimeError, match=r"size mismatch for weight: .*\[4, 4, 3, 3, 3, 2\].*\[3, 3, 3, 3, 3, 2\]"):
        layer.load_state_dict(LocallyConnected2d(2, 3, 3, 6).state_dict())
    with pytest.raises(RuntimeError, match=r"size mismatch for weight: .*\[4, 4, 3, 3, 3, 2\].*\[3, 3, 3, 3, 3, 2\]"):
        layer.load_state_dict(as_once_saved(LocallyConnected2d(2, 3, 3, 6)))
    with pytest.raises(RuntimeError, match="size mismatch for weight"):
        layer.load_state_dict({"kernel": torch.zeros(3, 2, 3, 3), "bias": layer.bias})
    with pytest.raises(RuntimeError, match=r'Missing key.*"weight"'):
        layer.load_state_dict({"bias": layer.bias})
    assert layer.load_state_dict({}, strict=False).missing_keys == ["weight", "bias"]


def test_a_reparametrized_weight_keeps_its_own_names():
    layer, other = (nn.utils.parametrizations.weight_norm(LocallyConnected2d(3, 4, 3, 5)) for _ in range(2))
    assert set(layer.state_dict()) == {"bias", "parametrizations.weight.original0", "parametrizations.weight.original1"}
    other.load_state_dict(layer.state_dict())
    x = torch.randn(1, 3, 5, 5)
    assert torch.equal(other(x), layer(x))


def test_writing_into_the_kernel_writes_the_weights():
    layer = LocallyConnected2d(1, 1, 2, 3, bias=False)
    with torch.no_grad():
        layer.kernel.zero_()
        layer.kernel[1, 0, 0, 0, 0, 1] = 1.0
    y = layer(torch.arange(9.0).reshape(1, 1, 3, 3))
    assert y[0, 0].tolist() == [[0, 0], [4, 0]]
    y.sum().backward()
    assert torch.equal(layer.in_literature_order(layer.weight.grad)[0, 1, 0, 0], torch.tensor([[1.0, 2], [4, 5]]))


@few
@given(any_layer, seeds)
def test_lazy_learns_what_was_not_said(geometry, seed):
    size, channels = geometry.pop("input_size"), geometry.pop("in_channels")
    lazy = LAZY[len(size)](**geometry, dtype=torch.float64)
    x = torch.randn(2, channels, *size, dtype=torch.float64)
    torch.manual_seed(seed)
    y = lazy(x)
    torch.manual_seed(seed)
    layer = LOCAL[len(size)](channels, input_size=size, **geometry, dtype=torch.float64)
    assert type(lazy) is type(layer)
    assert repr(lazy) == repr(layer)
    assert torch.equal(y, layer(x))
    assert torch.allclose(y[0], lazy(x[0]), rtol=0, atol=1e-12)  # by another algorithm, perhaps


def test_lazy_and_state_dicts():
    torch.manual_seed(0)
    layer, lazy = LocallyConnected2d(2, 3, 2, 4), LazyLocallyConnected2d(3, 2)
    assert nn.parameter.is_lazy(lazy.state_dict()["weight"])
    other = LazyLocallyConnected2d(3, 2)
    other.load_state_dict(lazy.state_dict())
    x = images(layer).float()
    other.load_state_dict(layer.state_dict())
    again, older = LazyLocallyConnected2d(3, 2), LazyLocallyConnected2d(3, 2)
    again.load_state_dict(other.state_dict())
    older.load_state_dict(as_once_saved(layer))
    for loaded in (other, again, older):
        close(loaded(x), layer(x))
        assert loaded.in_channels == 2
    loaded = LazyLocallyConnected2d(3, 2)
    loaded.load_state_dict(layer.state_dict())
    with pytest.raises(ValueError, match=r"loaded weight of shape \(3, 3, 3, 2, 2, 2\): should be \(4, 4, 3, 2, 2, 2\)"):
        loaded(torch.zeros(1, 2, 5, 5))
    with pytest.raises(ValueError, match="input of shape"):
        LazyLocallyConnected2d(3, 2)(torch.zeros(5, 5))


@pytest.mark.parametrize("kind", list(LAZY.values()))
def test_lazy_without_bias_and_before_its_first_input(kind):
    lazy = kind(3, 2, bias=False)
    assert lazy.bias is None
    assert "kernel_size=" in repr(lazy)
    assert (lazy.input_size, lazy.output_size) == ((), ())


def test_lazy_takes_what_a_state_dict_brought_and_makes_the_rest():
    layer = LocallyConnected2d(2, 3, 2, 4)
    x = images(layer).float()
    for names in (["weight"], ["bias"], ["weight", "bias"]):
        lazy = LazyLocallyConnected2d(3, 2)
        lazy.load_state_dict({name: layer.state_dict()[name] for name in names}, strict=False)
        lazy(x)
        for name in ("weight", "bias"):
            assert torch.equal(getattr(lazy, name), getattr(layer, name)) == (name in names)
    lazy = LazyLocallyConnected2d(3, 2, bias="channel")
    lazy.load_state_dict(layer.state_dict())
    with pytest.raises(ValueError, match=r"loaded bias of shape \(3, 3, 3\): should be \(3, 1, 1\)"):
        lazy(x)


def test_lazy_knows_no_largest_kernel_and_checks_the_first_input():
    assert LazyLocallyConnected1d(1, 5000)(torch.zeros(1, 1, 5003)).shape == (1, 1, 4)
    lazy = LazyLocallyConnected2d(3, 2)
    with pytest.raises(TypeError, match=r"input of dtype torch\.float64"):
        lazy(torch.zeros(1, 2, 4, 4, dtype=torch.float64))
    assert lazy(torch.zeros(1, 2, 4, 4)).shape == (1, 3, 3, 3)
