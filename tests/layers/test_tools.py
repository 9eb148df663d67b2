"""What torch and its tools do with an nn.Conv2d they do with every layer."""

import copy
import io
import logging
from collections import OrderedDict

import pytest
import torch
from cases import images
from torch import nn
from torch.func import functional_call

from convexp.geometry.skeleton import Skeleton, Stage
from convexp.layers import (
    Conv2d,
    Dense2d,
    GlobalConv2d,
    LocallyConnected1d,
    LocallyConnected2d,
    LocallyConnected3d,
    LowRankLocallyConnected2d,
)
from convexp.models import Network

SMALL = {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "input_size": (5, 4), "padding": 1}


class ByFourier(GlobalConv2d):
    """A global convolution that computes by transforms, whatever its size."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.by_fourier = True


class TorchConv2d(nn.Conv2d):
    """The measure of the others."""

    def __init__(self, input_size, **settings):
        super().__init__(**settings)
        self.input_size = input_size


KINDS = (TorchConv2d, Conv2d, Dense2d, GlobalConv2d, ByFourier, LocallyConnected2d, LowRankLocallyConnected2d)


def named_as_in_the_state(layer, x):
    return functional_call(layer, layer.state_dict(), (x,))


def leaves_in_the_state(layer, x):
    """As FSDP wants them."""
    state = layer.state_dict(keep_vars=True)
    assert all(state[name] is parameter for name, parameter in layer.named_parameters())
    return layer(x)


def traced_by_jit(layer, x):
    """As fvcore and the older ONNX exporter do."""
    graph, output = torch.jit._get_trace_graph(layer, (x,))
    assert len(list(graph.inputs())) == 1 + len(list(layer.parameters()))
    return output


def saved_by_jit(layer, x):
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(layer, (x,)), file)
    file.seek(0)
    return torch.jit.load(file)(x)


def exported(layer, x):
    program = torch.export.export(layer, (x,))
    fresh = copy.deepcopy(layer)
    nn.init.zeros_(fresh.weight)
    fresh.load_state_dict(program.state_dict)
    assert torch.equal(fresh(x), layer(x))
    module = program.module()
    module.load_state_dict(layer.state_dict())
    return module(x)


def traced_by_fx(layer, x):
    traced = torch.fx.symbolic_trace(layer)
    assert torch.equal(traced(x[0]), layer(x[0]))
    if not isinstance(layer, nn.Conv2d):
        with pytest.raises(ValueError, match="input of shape"):  # checked in what was traced, too
            traced(x[..., :-1])
    return traced(x)


def features_extracted(layer, x):
    from torchvision.models.feature_extraction import create_feature_extractor

    network = nn.Sequential(OrderedDict(layer=layer, activation=nn.ReLU()))
    return create_feature_extractor(network, ["layer"])(x)["layer"]


def in_onnx(layer, x):
    from onnx.reference import ReferenceEvaluator

    layer.eval()
    program = torch.onnx.export(layer, (x,), dynamo=True, verbose=False)
    model = program.model_proto
    assert {node.domain for node in model.graph.node} <= {"", "pkg.onnxscript.torch_lib"}
    (found,) = ReferenceEvaluator(model).run(None, {model.graph.input[0].name: x.numpy()})
    return torch.from_numpy(found)


def channels_last(layer, x):
    network = nn.Sequential(copy.deepcopy(layer), nn.Identity()).to(memory_format=torch.channels_last)
    assert network[0].weight.grad is None
    return network(x.contiguous(memory_format=torch.channels_last))


@pytest.mark.parametrize("kind", [LocallyConnected1d, LocallyConnected2d, LocallyConnected3d])
def test_channels_last_leaves_the_order_of_what_is_no_image(kind):
    dims = int(kind.__name__[-2])
    layer = kind(2, 3, 3, (6,) * dims)
    layer(torch.rand(1, 2, *(6,) * dims)).sum().backward()
    before = copy.deepcopy(layer)
    layer.to(memory_format=torch.channels_last)
    assert all(each.is_contiguous() and each.grad.is_contiguous() for each in layer.parameters())
    assert all(torch.equal(a, b) for a, b in zip(layer.parameters(), before.parameters(), strict=True))


def shared_and_moved(layer, x):
    other = copy.deepcopy(layer).double().share_memory().float()
    assert [p.shape for p in other.parameters()] == [p.shape for p in layer.parameters()]
    return other(x)


TOOLS = (
    named_as_in_the_state, leaves_in_the_state, traced_by_jit, exported, traced_by_fx, features_extracted, in_onnx,
    channels_last, shared_and_moved,
)  # fmt: skip


@pytest.mark.integration
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.__name__)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:onnx.*", "ignore::FutureWarning:torch.*", "ignore::UserWarning:torch.*")
def test_works_as_for_torchs_convolution(kind, tool, caplog):
    caplog.set_level(logging.ERROR)
    torch.manual_seed(0)
    layer = kind(**SMALL)
    x = images_of(layer)
    torch.testing.assert_close(tool(layer, x), layer(x), rtol=1e-4, atol=1e-5)


def images_of(layer):
    return images(layer).float()


@pytest.mark.parametrize("kind", KINDS)
def test_true_is_the_default_bias_and_false_is_none(kind):
    assert repr(kind(**SMALL, bias=True)) == repr(kind(**SMALL))
    assert kind(**SMALL, bias=False).bias is None


@pytest.mark.parametrize("norm", ["batch", "batch_unit"])
@pytest.mark.parametrize("readout", ["flatten", "global_max"])
def test_a_whole_network_is_traced(norm, readout):
    stage = Stage(3, (3, 3), (1, 1), (1, 1), (1, 1), "circular", "max", (2, 2))
    skeleton = Skeleton((2, 6, 6), 4, (stage, stage), readout, (5,), "relu", norm, True)
    network = Network(skeleton, LocallyConnected2d, [0.5, 0.5], [1.0, 2.0])
    x = torch.randint(0, 256, (3, 2, 6, 6)).float()
    torch.testing.assert_close(torch.fx.symbolic_trace(network)(x), network(x))


def applied(kind):
    """A small layer, images, and what it makes of them."""
    torch.manual_seed(0)
    layer = kind(**SMALL)
    x = images_of(layer)
    return layer, x, layer(x).detach()


@pytest.fixture
def process_group(tmp_path):
    torch.distributed.init_process_group("gloo", f"file://{tmp_path}/store", world_size=1, rank=0)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_sharded_in_the_older_way(kind, process_group):
    from torch.distributed.fsdp import FullyShardedDataParallel

    layer, x, expected = applied(kind)
    names = set(layer.state_dict())
    sharded = FullyShardedDataParallel(layer, device_id=torch.device("cpu"))
    torch.testing.assert_close(sharded(x), expected)
    assert set(sharded.state_dict()) == names


@pytest.mark.skipif(torch.__version__ < (2, 7), reason="fully_shard of torch 2.6 does not run on a CPU")
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_sharded_in_the_newer_way(kind, process_group):
    from torch.distributed.fsdp import fully_shard

    layer, x, expected = applied(kind)
    mesh = torch.distributed.device_mesh.init_device_mesh("cpu", (1,))
    torch.testing.assert_close(fully_shard(layer, mesh=mesh)(x), expected)
