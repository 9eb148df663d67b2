import time
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from convexp.geometry.skeleton import Skeleton, Stage
from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d
from convexp.models import Network, layer_costs
from convexp.models.timing import layer_times, peak_bytes

WIRINGS = (Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d)
FIRST = Stage(4, (3, 3), (1, 1), (1, 1), (1, 1), "zeros", "max", (2, 2))
SECOND = Stage(6, (5, 3), (2, 2), (2, 1), (1, 1), "circular", "none", (2, 2))
SKELETON = Skeleton((3, 8, 8), 10, (FIRST, SECOND), "flatten", (7,), "relu", "none", True)


def make(wiring: Any, **changes: Any) -> Network:
    return Network(replace(SKELETON, **changes), wiring, [0.0] * 3, [1.0] * 3)


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("norm", ["none", "batch", "batch_unit"])
@pytest.mark.parametrize("stages", [(FIRST, SECOND), (FIRST,), ()])
def test_parameters_add_up(wiring, norm, stages):
    network = make(wiring, norm=norm, stages=stages)
    layers = layer_costs(network, (3, 8, 8))
    assert sum(layer.parameters for layer in layers) == sum(p.numel() for p in network.parameters())
    assert all(layer.parameters > 0 for layer in layers)


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("bias", [True, False])
def test_flops_are_two_for_a_multiply_add(wiring, bias):
    layers = {layer.name: layer.flops for layer in layer_costs(make(wiring, bias=bias), (3, 8, 8))}
    windowed = (4 * 64 * 3 * 9, 6 * 4 * 4 * 15)
    dense = (4 * 64 * 3 * 64, 6 * 4 * 4 * 16)
    first, second = dense if wiring in (Dense2d, GlobalConv2d) else windowed
    if wiring is LowRankLocallyConnected2d:
        first, second = 2 * first, 2 * second  # rank 1: as many again to write out the kernels
    assert layers == {
        "stages.0.wiring": 2 * first,
        "stages.1.wiring": 2 * second,
        "head.hidden0.linear": 2 * 24 * 7,
        "head.classes": 2 * 7 * 10,
    }


@pytest.mark.parametrize("wiring", WIRINGS)
def test_names_kinds_and_shapes(wiring):
    layers = layer_costs(make(wiring, norm="batch"), (3, 8, 8))
    assert [(layer.name, layer.kind, layer.output_shape) for layer in layers] == [
        ("stages.0.wiring", wiring.__name__, (4, 8, 8)),
        ("stages.0.norm", "BatchNorm2d", (4, 8, 8)),
        ("stages.1.wiring", wiring.__name__, (6, 2, 2)),
        ("stages.1.norm", "BatchNorm2d", (6, 2, 2)),
        ("head.hidden0.linear", "Linear", (7,)),
        ("head.hidden0.norm", "BatchNorm1d", (7,)),
        ("head.classes", "Linear", (10,)),
    ]


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("norm", ["none", "batch", "batch_unit"])
def test_meta_device_counts_the_same(wiring, norm):
    with torch.device("meta"):
        empty = make(wiring, norm=norm)
    assert all(p.is_meta for p in empty.parameters())
    assert layer_costs(empty, (3, 8, 8)) == layer_costs(make(wiring, norm=norm), (3, 8, 8))


@pytest.mark.parametrize("training", [True, False])
def test_counting_leaves_no_trace(training):
    network = make(Conv2d, norm="batch").train(training)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    layer_costs(network, (3, 8, 8))
    assert network.training is training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("wiring", WIRINGS)
def test_every_part_is_measured_in_order(wiring):
    network = make(wiring, norm="batch").eval()
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    found = layer_times(network, images, repeats=2)
    assert [name for name in found if name in {layer.name for layer in layer_costs(network, (3, 8, 8))}] == [
        la.name for la in layer_costs(network, (3, 8, 8))
    ]
    assert all(0 < cost.forward_ms < 1000 for cost in found.values())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert found["normalize"].backward_ms == found["normalize"].backward_peak_bytes == 0  # there is nothing to learn below it
    assert all(cost.backward_ms > 0 for name, cost in found.items() if name != "normalize")
    assert all(p.grad is None for p in network.parameters())


def test_time_that_others_have_on_the_same_core_is_not_counted():
    waits = nn.Sequential(Waiting(), nn.Flatten())
    assert layer_times(waits, torch.zeros(1, 3, 8, 8), repeats=1)["0"].forward_ms < 25  # of at least 50 on the clock


class Waiting(nn.Module):
    def forward(self, x):
        time.sleep(0.05)
        return x


def test_peak_of_memory_is_what_is_allocated_at_once():
    def step():
        a = torch.zeros(1000)
        b = torch.zeros(500)
        del a
        return torch.zeros(300), b

    assert peak_bytes(step) == pytest.approx(4 * 1500, abs=128)  # 64-byte alignment
    assert peak_bytes(lambda: None) == 0


def test_a_layer_writes_its_output_and_a_backward_pass_its_gradients():
    network = make(Dense2d).eval()
    found = layer_times(network, torch.zeros(4, 3, 8, 8), repeats=1)["stages.0.wiring"]
    layer = network.stages[0].wiring
    assert found.forward_peak_bytes >= 4 * 4 * layer.weight.shape[0]
    assert found.backward_peak_bytes >= 4 * layer.weight.numel()
