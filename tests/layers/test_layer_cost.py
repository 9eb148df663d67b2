import pytest
import torch
from cases import any_layer, arguments, few, make, seeds
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from convexp.layers import GlobalConv2d, cost
from convexp.layers.convert import CONV, DENSE, LOCAL, LOW_RANK


def counted(layer, batch):
    """FLOPs that torch counts, forward and backward, and the bytes that are allocated."""
    x = torch.randn(batch, layer.in_channels, *layer.input_size, dtype=layer.weight.dtype, requires_grad=True)
    with FlopCounterMode(display=False) as forward:
        y = layer(x)
    with FlopCounterMode(display=False) as backward:
        y.sum().backward()
    held = sum(p.untyped_storage().nbytes() for p in layer.parameters())
    return (
        forward.get_total_flops(),
        backward.get_total_flops(),
        held,
        x.untyped_storage().nbytes(),
        y.untyped_storage().nbytes(),
    )


@few
@given(any_layer, st.integers(1, 4), st.sampled_from(["conv", "local", "low_rank", "dense"]), st.booleans())
def test_closed_forms_are_what_is_counted_and_allocated(geometry, batch, kind, half):
    kinds = {"conv": CONV, "local": LOCAL, "low_rank": LOW_RANK, "dense": DENSE}[kind]
    more = {"rank": 3} if kind == "low_rank" else {}
    if kind == "dense":
        geometry.pop("groups")
    for bias in (True, False) if kind in ("conv", "dense") else ("location", "channel", False):
        layer = make(kinds[len(geometry["input_size"])], geometry, bias=bias, **more).to(
            torch.float32 if half else torch.float64
        )
        found = cost(layer, batch)
        assert found.weights + found.biases == sum(p.numel() for p in layer.parameters())
        assert found.biases == (0 if layer.bias is None else layer.bias.numel())
        forward, backward, *allocated = counted(layer, batch)
        assert allocated == [found.parameter_bytes, found.input_bytes, found.output_bytes]
        assert forward == found.forward_flops
        if kind == "conv" and layer.groups > 1:  # torch counts its weight gradient as if it had no groups
            assert backward == found.backward_flops + (layer.groups - 1) * found.forward_flops
        else:
            assert backward == found.backward_flops


@few
@given(any_layer, st.integers(1, 4))
def test_groups_cost_what_as_many_smaller_layers_cost(geometry, batch):
    """Which torch's counter counts rightly."""
    layer = make(CONV[len(geometry["input_size"])], geometry, bias=False)
    part = geometry | {name: geometry[name] // layer.groups for name in ("in_channels", "out_channels")} | {"groups": 1}
    forward, backward, *_ = counted(make(CONV[len(geometry["input_size"])], part, bias=False), batch)
    found = cost(layer, batch)
    assert (found.forward_flops, found.backward_flops) == (layer.groups * forward, layer.groups * backward)


@few
@given(arguments(("zeros", "circular"), centred=True), st.integers(1, 4), seeds, st.booleans())
def test_closed_form_of_a_global_convolution(geometry, batch, seed, fourier):
    layer = make(GlobalConv2d, geometry)
    layer.by_fourier = fourier
    found = cost(layer, batch)
    forward, backward, held, *_ = counted(layer, batch)
    assert found.weights + found.biases == sum(p.numel() for p in layer.parameters())
    assert (found.forward_flops, found.parameter_bytes) == (forward, held)
    assert found.backward_flops in (None, backward)
    assert (found.backward_flops is None) == fourier


def test_another_layer_is_refused():
    with pytest.raises(TypeError, match="Linear: should be a layer of"):
        cost(nn.Linear(1, 1))


@pytest.mark.parametrize(("batch", "error"), [(-1, ValueError), (1.5, TypeError), ("a", TypeError), (True, TypeError)])
def test_a_batch_is_a_number_of_images(batch, error):
    with pytest.raises(error, match=f"batch={batch!r}: should be"):
        cost(CONV[2](1, 1, 3, 5), batch)
