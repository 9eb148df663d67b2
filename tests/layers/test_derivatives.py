import copy
import io
import pickle
import warnings

import pytest
import torch
from cases import any_layer, close, few, images, make, seeds
from hypothesis import given
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vmap
from torch.utils.flop_counter import FlopCounterMode

from convexp.layers import (
    Conv2d,
    Dense2d,
    GlobalConv2d,
    LocallyConnected1d,
    LocallyConnected2d,
    LocallyConnected3d,
    LowRankLocallyConnected2d,
    cost,
    layout,
    locally_connected,
    ops,
    standard,
)
from convexp.layers.convert import LOCAL


class ByFourier(GlobalConv2d):
    """A global convolution that computes by transforms, whatever its size."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.by_fourier = True


# Torch's own, at the first derivative in forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")

LAYERS = (Conv2d, Dense2d, GlobalConv2d, ByFourier, LocallyConnected2d, LowRankLocallyConnected2d)
SMALL = {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "input_size": (5, 4), "padding": 1}

# dims, kernel, input, stride, padding, dilation, groups
TABLE = [
    (1, 3, 7, 2, 1, 1, 1),
    (1, 2, 6, 1, 0, 2, 2),
    (2, 3, (5, 4), 1, 1, 1, 1),
    (2, (2, 3), (5, 6), (2, 3), (0, 2), 1, 1),
    (2, (3, 2), (5, 6), (1, 2), (2, 0), (1, 2), 2),
    (2, 1, 3, 1, 0, 1, 1),
    (2, 3, 3, 1, 0, 1, 4),
    (3, (2, 1, 2), (3, 2, 3), (1, 1, 2), (1, 0, 1), 1, 2),
]


@pytest.mark.parametrize("case", TABLE, ids=str)
@pytest.mark.parametrize("bias", ["location", "channel", False])
def test_first_and_second_derivatives(case, bias):
    torch.manual_seed(0)
    dims, kernel, size, stride, padding, dilation, groups = case
    layer = LOCAL[dims](4, 4, kernel, size, stride, padding, dilation, groups, bias, dtype=torch.float64)
    inputs = [images(layer, 2).requires_grad_(), layer.kernel.detach().requires_grad_()]
    if bias:
        inputs.append(layer.bias.detach().requires_grad_())

    def run(x, weight, bias=None):
        return locally_connected(x, weight, bias, stride, padding, dilation, groups)

    assert gradcheck(run, inputs, fast_mode=True, check_forward_ad=True)
    assert gradgradcheck(run, inputs, fast_mode=True, check_fwd_over_rev=True)


@pytest.mark.parametrize("kind", LAYERS)
def test_derivatives_of_every_layer(kind):
    torch.manual_seed(0)
    layer = kind(**SMALL, dtype=torch.float64)
    names, values = zip(*layer.named_parameters(), strict=True)

    def run(x, *parameters):
        return functional_call(layer, dict(zip(names, parameters, strict=True)), (x,))

    inputs = (images(layer, 2).requires_grad_(), *(v.detach().requires_grad_() for v in values))
    assert gradcheck(run, inputs, fast_mode=True, check_forward_ad=True)
    assert gradgradcheck(run, inputs, fast_mode=True, check_fwd_over_rev=True)


@few
@given(any_layer, seeds)
def test_the_operators_are_those_of_their_definition(geometry, seed):
    """Adjoint: <y', L(x, w)> = <x, L'(y', w)> = <w, L''(y', x)> for every x, w and y'."""
    torch.manual_seed(seed)
    geometry["padding_mode"] = "zeros"
    layer = make(LOCAL[len(geometry["input_size"])], geometry, bias=False)
    window = (layer.stride, layer.padding, layer.dilation)
    x, weight = images(layer), layer.kernel.detach()
    y = ops.forward(x, weight, None, *window)
    above = torch.randn_like(y)
    in_x = ops.input_gradient(above, weight, layer.input_size, layer.groups, *window)
    in_weight = ops.weight_gradient(above, x, layer.kernel_size, layer.groups, *window)
    expected = (above * y).sum()
    close((in_x * x).sum(), expected)
    close((in_weight * weight).sum(), expected)


@few
@given(any_layer, seeds)
def test_the_operators_meet_torchs_contract(geometry, seed):
    """Shapes, strides and aliasing as the compiler is told."""
    torch.manual_seed(seed)
    geometry["padding_mode"] = "zeros"
    layer = make(LOCAL[len(geometry["input_size"])], geometry, bias=False)
    window = (list(layer.stride), list(layer.padding), list(layer.dilation))
    x, weight = images(layer), layer.kernel.detach()
    y = ops.forward(x, weight, None, *window)
    utilities = ("test_schema", "test_faketensor")
    torch.library.opcheck(ops.forward, (x, weight, None, *window), test_utils=utilities)
    more = (layer.groups, *window)
    torch.library.opcheck(ops.input_gradient, (y, weight, list(layer.input_size), *more), test_utils=utilities)
    torch.library.opcheck(ops.weight_gradient, (y, x, list(layer.kernel_size), *more), test_utils=utilities)


def test_the_output_is_what_the_next_layer_wants():
    layer = LocallyConnected2d(2, 4, 3, 6, dtype=torch.float64)
    y = layer(images(layer, 5))
    assert layout.batch_last(y).is_contiguous()
    assert layout.batch_last(torch.relu(y)).is_contiguous()
    assert layer.weight.is_contiguous()
    y.sum().backward()
    assert layer.weight.grad.is_contiguous()


@pytest.mark.parametrize("kind", LAYERS)
def test_layouts_of_the_input_are_all_the_same(kind):
    torch.manual_seed(0)
    layer = kind(**SMALL, dtype=torch.float64)
    x = images(layer)
    expected = layer(x)
    shapes = [
        x.contiguous(memory_format=torch.channels_last),
        layout.batch_first(layout.batch_last(x).contiguous()),
        x.transpose(2, 3).contiguous().transpose(2, 3),
        torch.cat([x, x], 3)[..., :4],
    ]
    for other in shapes:
        assert not other.is_contiguous()
        close(layer(other), expected)
    close(layer(x[:1].expand(3, -1, -1, -1)), expected[:1].expand(3, -1, -1, -1))


@pytest.mark.parametrize("kind", LAYERS)
def test_vmap_over_images_and_weights_and_jacobians(kind):
    torch.manual_seed(0)
    layers = [kind(**SMALL, dtype=torch.float64) for _ in range(3)]
    stacked = {
        name: torch.stack([dict(v.named_parameters())[name].detach() for v in layers])
        for name, _ in layers[0].named_parameters()
    }
    first = {name: value[0] for name, value in stacked.items()}
    x = torch.stack([images(layers[0], 2) for _ in range(3)])  # (3, B, C, H, W)

    def run(parameters, x):
        return functional_call(layers[0], parameters, (x,))

    def loss(parameters, x):
        return run(parameters, x).square().sum()

    close(vmap(run, (None, 0))(first, x), torch.stack([layers[0](v) for v in x]))
    close(vmap(run, (0, None))(stacked, x[0]), torch.stack([layer(x[0]) for layer in layers]))
    close(vmap(run)(stacked, x), torch.stack([layer(v) for layer, v in zip(layers, x, strict=True)]))
    for mapped, theirs in (((0, 0), stacked), ((None, 0), first)):
        found = vmap(grad(loss), mapped)(theirs, x)
        for index in range(3):
            own = {name: value[index] for name, value in stacked.items()} if mapped[0] == 0 else first
            for name, value in grad(loss)(own, x[index]).items():
                close(found[name][index], value)
    per_sample = vmap(grad(loss), (None, 0))(first, x[0].unsqueeze(1))
    whole = grad(loss)(first, x[0])
    for name, value in whole.items():
        close(per_sample[name].sum(0), value)
    jacobian = jacrev(run)(first, x[0])
    autograd = torch.autograd.functional.jacobian(lambda w: run(first | {"weight": w}, x[0]), first["weight"])
    close(jacobian["weight"], autograd)
    assert hessian_is_symmetric(lambda w: loss(first | {"weight": w}, x[0, :1]), first["weight"])


def hessian_is_symmetric(f, weight):
    n = weight.numel()
    found = jacrev(jacrev(f))(weight).reshape(n, n)
    close(found, found.T)
    return found.abs().max() > 0


def test_mapping_over_the_bias_alone_computes_the_layer_once():
    torch.manual_seed(0)
    layer = LocallyConnected2d(**SMALL, dtype=torch.float64)
    x, biases = images(layer), torch.randn(5, *layer.bias.shape, dtype=torch.float64)
    parameters = dict(layer.named_parameters())
    with FlopCounterMode(display=False) as counted:
        found = vmap(lambda bias: functional_call(layer, parameters | {"bias": bias}, (x,)))(biases)
    close(found, (layer(x) - layer.bias) + biases[:, None])
    assert counted.get_total_flops() == cost(layer, 3).forward_flops


TINY = {"in_channels": 1, "out_channels": 2, "kernel_size": 2, "input_size": 3}


def of_parameters(layer):
    """A network's loss as a function of its input and parameters, and these."""
    names, values = zip(*layer.named_parameters(), strict=True)

    def loss(x, *parameters):
        return functional_call(layer, dict(zip(names, parameters, strict=True)), (x,)).square().sum()

    return loss, (images(layer, 2), *(value.detach() for value in values))


@pytest.mark.parametrize("kind", LAYERS)
def test_the_hessian_is_the_same_in_every_mode(kind):
    """Forward over reverse, reverse over forward, forward over forward; mixed derivatives of input and weights included."""
    torch.manual_seed(0)
    loss, point = of_parameters(kind(**TINY, dtype=torch.float64))
    every = tuple(range(len(point)))
    expected = jacrev(jacrev(loss, every), every)(*point)
    for outer, inner in ((jacfwd, jacrev), (jacrev, jacfwd), (jacfwd, jacfwd)):
        found = outer(inner(loss, every), every)(*point)
        for row, known in zip(found, expected, strict=True):
            for part, value in zip(row, known, strict=True):
                close(part, value)


@few
@given(any_layer, seeds)
def test_a_jvp_is_the_jacobian_times_the_tangent(geometry, seed):
    torch.manual_seed(seed)
    layer = make(LOCAL[len(geometry["input_size"])], geometry)
    x, tangent = images(layer), images(layer)
    value, along = jvp(layer, (x,), (tangent,))
    close(value, layer(x))
    close(along, (layer(tangent) - layer(torch.zeros_like(x))))
    bias = layer.bias.detach()
    _, along = jvp(lambda b: functional_call(layer, {"bias": b}, (x,)), (bias,), (torch.ones_like(bias),))
    close(along, torch.ones_like(value))


@few
@given(any_layer, seeds)
def test_standard_operators_compute_the_same(geometry, seed):
    torch.manual_seed(seed)
    geometry["padding_mode"] = "zeros"
    layer = make(LOCAL[len(geometry["input_size"])], geometry)
    operands = (images(layer), layer.kernel.detach(), layer.bias.detach(), layer.stride, layer.padding, layer.dilation)
    close(standard.forward(*operands), ops.forward(*operands))


@pytest.mark.integration
def test_transforms_inside_compiled_code():
    torch.manual_seed(0)
    layer = LowRankLocallyConnected2d(**TINY, dtype=torch.float64)
    x = images(layer, 2)
    torch.compiler.reset()
    for transformed in (vmap(layer), hessian(lambda x: layer(x).square().sum())):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own, of its compiler
            found = torch.compile(transformed, fullgraph=True, backend="aot_eager")(x)
        close(found.detach(), transformed(x).detach())


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("kind", LAYERS)
def test_autocast(kind, mode):
    if issubclass(kind, GlobalConv2d) and mode not in ("zeros", "circular"):
        return
    torch.manual_seed(0)
    layer = kind(**SMALL, padding_mode=mode)
    x = images(layer).float()
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
        with pytest.raises(TypeError, match=r"input of dtype torch\.float64"):
            layer(x.double())
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), layer(x), rtol=0.05, atol=0.05)
    y.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32
    double = kind(**SMALL, padding_mode=mode, dtype=torch.float64)
    with torch.autocast("cpu", torch.bfloat16):
        assert double(x.double()).dtype == torch.float64


@pytest.mark.parametrize("kind", LAYERS)
def test_the_output_may_be_changed_in_place(kind):
    torch.manual_seed(0)
    layer = kind(**SMALL, dtype=torch.float64)
    x = images(layer).requires_grad_()
    wanted = (x, layer.weight)
    expected = torch.autograd.grad(torch.relu(layer(x) + 1).square().sum(), wanted)
    y = layer(x)
    found = torch.autograd.grad(y.add_(1).relu_().square().sum(), wanted)
    for a, b in zip(found, expected, strict=True):
        close(a, b)
    layer(x[0]).relu_().sum().backward()
    (gradient,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    gradient.mul_(2).sum().backward()


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_types(kind, dtype):
    layer = kind(**SMALL, dtype=dtype)
    assert all(p.dtype == dtype for p in layer.parameters())
    y = layer(images(layer).to(dtype))
    assert y.dtype == dtype
    y.sum().backward()
    assert layer.weight.grad.dtype == dtype


@pytest.mark.parametrize("kind", LAYERS)
def test_unbatched_input(kind):
    layer = kind(**SMALL, dtype=torch.float64)
    x = images(layer, 2)
    close(layer(x[0]), layer(x)[0])
    assert layer(x[0]).dim() == 3


@pytest.mark.parametrize("kind", LAYERS)
def test_copies_and_pickles(kind):
    layer = kind(**SMALL, dtype=torch.float64)
    x = images(layer)
    buffer = io.BytesIO()
    torch.save(layer, buffer)
    buffer.seek(0)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), torch.load(buffer, weights_only=False)):
        assert torch.equal(other(x), layer(x))
        with torch.no_grad():
            other.weight.zero_()
        assert layer.weight.abs().sum() > 0


@pytest.mark.parametrize("kind", LAYERS)
def test_meta_device(kind):
    layer = kind(**SMALL, device="meta")
    layer.to_empty(device="cpu").reset_parameters()
    assert layer(torch.zeros(7, 2, 5, 4)).isfinite().all()
    layer.to("meta")
    y = layer(torch.zeros(7, 2, 5, 4, device="meta"))
    assert y.shape == (7, 3, 5, 4)
    assert y.is_meta
    y.sum().backward()
    assert layer.weight.grad.is_meta


@pytest.mark.integration
@pytest.mark.parametrize(("kind", "backend"), [(LocallyConnected2d, "inductor"), *((kind, "aot_eager") for kind in LAYERS)])
def test_compiles_without_a_graph_break(kind, backend):
    torch.manual_seed(0)
    layer = kind(**SMALL)
    x = images(layer).float().requires_grad_()
    expected = torch.autograd.grad(torch.relu(layer(x)).square().sum(), (x, layer.weight))
    torch.compiler.reset()  # other layers went through the same line
    compiled = torch.compile(lambda x: torch.relu(layer(x)).square().sum(), fullgraph=True, backend=backend)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, of its compiler
        found = torch.autograd.grad(compiled(x), (x, layer.weight))
        with torch.no_grad():
            value = compiled(x)
    for a, b in zip((*found, value), (*expected, torch.relu(layer(x)).square().sum()), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [LocallyConnected1d, LocallyConnected2d, LocallyConnected3d])
def test_optimizers_and_flat_views(kind):
    """The weight is an ordinary contiguous parameter: what flattens or fuses parameters works on it."""
    torch.manual_seed(0)
    layer = kind(2, 2, 2, 4, dtype=torch.float64)
    x, target = images(layer, 8), None
    target = torch.randn_like(layer(x))
    assert nn.utils.parameters_to_vector(layer.parameters()).numel() == sum(p.numel() for p in layer.parameters())
    optimizer = torch.optim.LBFGS(layer.parameters(), line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (layer(x) - target).square().mean()
        loss.backward()
        return loss

    before = closure().item()
    optimizer.step(closure)
    assert closure().item() < 0.5 * before
