"""The algorithms of the locally connected layer on a CPU compute the same, and which of them does is told by the shape."""

from dataclasses import replace

import pytest
import torch
from cases import any_layer, few, make, seeds
from hypothesis import given
from hypothesis import strategies as st

from convexp.layers import LocallyConnected2d, algorithms, batched_gemm, by_shape, call_geometry, layout, native, unfolded_gemm
from convexp.layers.algorithms import ALGORITHMS, IN_C, OPERATIONS, fastest
from convexp.layers.by_shape import MODULES
from convexp.layers.convert import LOCAL

IN_PYTHON = {name: module for name, module in MODULES.items() if name not in IN_C}


def operands(geometry, batch, dtype=torch.float64):
    """The geometry of a call, and for every operation its arguments; tensors lie in memory in one of two ways."""
    geometry = geometry | {"padding_mode": "zeros"}
    layer = make(LOCAL[len(geometry["input_size"])], geometry)
    weight = layer.kernel.detach()
    x = torch.randn(batch, layer.in_channels, *layer.input_size, dtype=torch.float64)
    g = call_geometry.call_geometry(x.shape, weight.shape, layer.stride, layer.padding, layer.dilation)
    grad = torch.randn(batch, layer.out_channels, *layer.output_size, dtype=torch.float64)
    if batch % 2:
        x, weight, grad = (
            layout.batch_first(layout.batch_last(x).contiguous()),
            weight.contiguous(),
            grad.transpose(0, 1).contiguous().transpose(0, 1),
        )
    x, weight, bias, grad = (t.to(dtype) for t in (x, weight, layer.bias.detach(), grad))
    return g, {"forward": (x, weight, bias), "weight_gradient": (grad, x), "input_gradient": (grad, weight)}


@few
@given(any_layer, st.sampled_from([1, 2, 3, 9]), seeds)
def test_all_algorithms_compute_the_same(geometry, batch, seed):
    """Values to the last digits, and the place of every value in memory."""
    torch.manual_seed(seed)
    g, of = operands(geometry, batch)
    for operation, arguments in of.items():
        expected = getattr(batched_gemm, operation)(*arguments, g)
        for module in IN_PYTHON.values():
            found = getattr(module, operation)(*arguments, g)
            assert found.stride() == expected.stride()
            torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


@few
@given(any_layer, st.sampled_from([1, 2]), seeds)
def test_windows_are_added_to_the_image_as_by_fold(geometry, batch, seed):
    torch.manual_seed(seed)
    g, of = operands(geometry, batch)
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for most in (0, 1 << 30):
            patch.setattr(unfolded_gemm, "FOLDED", most)
            found.append(unfolded_gemm.input_gradient(*of["input_gradient"], g))
    torch.testing.assert_close(*found, rtol=1e-10, atol=1e-10)
    assert found[0].stride() == found[1].stride()


@few
@given(any_layer, st.sampled_from([1, 2, 9]), seeds)
def test_how_products_and_copies_are_made_changes_no_value(geometry, batch, seed):
    """Outputs innermost or not, outer products summed or not, kernel columns together or apart, images transposed first."""
    torch.manual_seed(seed)
    g, of = operands(geometry, batch)
    for operation, arguments in of.items():
        expected = getattr(batched_gemm, operation)(*arguments, g)
        for outputs, smallest in ((1, 1 << 30), (1 << 30, 0), (1, g.unit_channels * g.taps * batch)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(unfolded_gemm, "TURNED_OUTPUTS", outputs)
                patch.setattr(call_geometry, "SMALLEST_GEMM", smallest)
                patch.setattr(batched_gemm, "LARGE_BATCH", 1)
                patch.setattr(batched_gemm, "LARGE_IMAGES", 1)
                for module in (batched_gemm, unfolded_gemm):
                    found = getattr(module, operation)(*arguments, replace(g))  # a copy, which has kept no answer
                    assert found.stride() == expected.stride()
                    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


@few
@given(any_layer, st.sampled_from([1, 8]), st.sampled_from([torch.bfloat16, torch.float16]), seeds)
def test_half_precision_is_that_of_its_operands(geometry, batch, dtype, seed):
    """A result is as near to that of float64 on the same operands as sums rounded a few times are."""
    torch.manual_seed(seed)
    g, of = operands(geometry, batch, dtype)
    for operation, arguments in of.items():
        exact = getattr(batched_gemm, operation)(*(t.double() for t in arguments), g)
        for name, module in IN_PYTHON.items():
            if not by_shape.multiplies(dtype) and name != "tap_products":
                module = by_shape
            found = getattr(module, operation)(*arguments, g)
            assert (found.dtype, found.stride()) == (dtype, exact.stride())
            scale = exact.abs().max().clamp_min(1).item()
            torch.testing.assert_close(found.double(), exact, rtol=0, atol=4 * torch.finfo(dtype).eps * scale)


def is_rounded_once(g, of):
    for operation, arguments in of.items():
        found = getattr(by_shape, operation)(*arguments, g)
        algorithm = MODULES[by_shape.choice(operation, *arguments[:2], g)]
        wide = getattr(algorithm, operation)(*(t.float() for t in arguments), g)
        assert torch.equal(found, wide.to(torch.bfloat16))
        assert found.stride() == wide.stride()


def test_what_the_cpu_does_not_multiply_is_worked_on_in_float32_and_rounded_once(monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(by_shape, "multiplies", lambda dtype: dtype == torch.float32)
    layer = {"in_channels": 4, "out_channels": 4, "kernel_size": 3, "input_size": (5, 4), "padding": 1}
    is_rounded_once(*operands(layer, 8, torch.bfloat16))


def test_so_are_windows_with_one_channel(monkeypatch):
    torch.manual_seed(0)
    layer = {"in_channels": 8, "out_channels": 32, "kernel_size": 3, "input_size": (12, 12), "padding": 1, "groups": 8}
    g, of = operands(layer, 1, torch.bfloat16)
    monkeypatch.setattr(by_shape.native, "takes", lambda operand: False)
    assert {fastest(operation, g, in_c=False) for operation in of} == {"unfolded_gemm"}
    is_rounded_once(g, of)


@pytest.mark.skipif(native.library() is None, reason="no kernels in C")
@pytest.mark.parametrize(("more", "batch"), [(-1, 9), (1, 9), (1, 8)])
def test_so_are_units_that_are_not_large_in_c_and_few_images(more, batch, monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(by_shape, "LARGE_UNIT", 36 * 10)
    layer = {"in_channels": 4, "out_channels": 10 + more, "kernel_size": 3, "input_size": (5, 4), "padding": 1}
    g, of = operands(layer, batch, torch.bfloat16)
    once = more < 0 or batch == 8 or not by_shape.multiplies(torch.bfloat16)
    for operation, (a, b, *_) in of.items():
        assert (by_shape.choice(operation, a, b, g) in IN_C) == once
    if once:
        is_rounded_once(g, of)


@few
@given(any_layer, st.integers(0, 300))
def test_there_is_a_choice_for_every_geometry_and_always_the_same(geometry, batch):
    g, _ = operands(geometry, 1)
    g = replace(g, batch=batch)
    for operation in OPERATIONS:
        for served in ({"in_c": False}, {"in_c": True}, {"in_c": True, "in_python": False}):
            chosen = fastest(operation, g, **served)
            assert chosen in ALGORITHMS
            assert not g.batch or (served["in_c"] if chosen in IN_C else served.get("in_python", True))
            algorithms.fastest.cache_clear()
            assert fastest(operation, g, **served) == chosen


@pytest.mark.parametrize("batch", [32, 128])
@pytest.mark.parametrize(
    ("channels", "size", "kernel", "stride"), [((1, 16), 28, 5, 2), ((16, 32), 14, 3, 2), ((16, 32), 28, 3, 1)]
)
def test_the_networks_of_the_studies_are_computed_as_ever(channels, size, kernel, stride, batch):
    """The layers of the studies at full batches of 32 and 128: another algorithm would change their last bits."""
    assert set(choices(channels, size, kernel, stride, batch)) == {"batched_gemm"}
    assert set(choices(channels, size, kernel, stride, batch, in_c=True)) == {"many_images"}


def choices(channels, size, kernel, stride=1, batch=1, groups=1, in_c=False):
    layer = LocallyConnected2d(*channels, kernel, size, stride, kernel // 2, groups=groups, device="meta")
    shape = (batch, channels[0], size, size)
    g = call_geometry.call_geometry(shape, layer.kernel.shape, layer.stride, layer.padding, layer.dilation)
    return [fastest(operation, g, in_c=in_c) for operation in OPERATIONS]


def test_one_image_is_unfolded_and_depthwise_layers_go_by_taps():
    assert set(choices((16, 32), 28, 3)) == set(choices((3, 64), 64, 7, 2)) == {"unfolded_gemm"}
    assert set(choices((64, 64), 28, 3, batch=128, groups=64)) == {"tap_products"}
    assert set(choices((16, 32), 28, 3, in_c=True)) == {"few_images"}
    assert set(choices((64, 64), 28, 3, groups=64, in_c=True)) == {"many_groups"}


@pytest.mark.parametrize("batch", [1, 2, 8, 32, 128])
def test_the_smallest_layers_are_computed_in_one_call_of_c(batch):
    for channels, size, kernel, stride in (((2, 4), 6, 3, 1), ((1, 16), 16, 5, 2), ((16, 32), 8, 3, 2)):
        assert set(choices(channels, size, kernel, stride, batch=batch, in_c=True)) <= set(IN_C)


def test_no_image_at_all():
    layer = LocallyConnected2d(2, 3, 3, 5)
    y = layer(torch.empty(0, 2, 5, 5))
    y.sum().backward()
    assert y.shape == (0, 3, 3, 3)
    assert not layer.weight.grad.any()
