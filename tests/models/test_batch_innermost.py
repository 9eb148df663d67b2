"""What lies between locally connected layers: the same whatever the order of its operand, and it keeps the batch innermost."""

import pytest
import torch
from torch import nn

from convexp.layers import layout
from convexp.models.parts import BatchNorm2d, BatchNormUnit, ReadoutLayer
from convexp.models.pooling import AvgPool2d, Blur, DenseMax, MaxPool2d

CHANNELS, SIZE = 3, (6, 4)
MODULES = {
    "vectors": lambda: ReadoutLayer("flatten"),
    "mean": lambda: ReadoutLayer("global_avg"),
    "norm": lambda: BatchNorm2d(CHANNELS),
    "norm of units": lambda: BatchNormUnit(CHANNELS * 24),
    "max": lambda: MaxPool2d((2, 3)),
    "avg": lambda: AvgPool2d(2),
    "dense max": lambda: DenseMax((2, 3), "zeros"),
    "dense max, circular": lambda: DenseMax((3, 2), "circular"),
    "blur": lambda: Blur((3, 5), (2, 2), "zeros"),
    "blur, reflect": lambda: Blur((5, 3), (3, 2), "reflect"),
}
KEEP = ("vectors", "norm", "norm of units", "max", "avg", "dense max")  # the order, in both passes


@pytest.mark.parametrize("batch", [2, 5])
@pytest.mark.parametrize("name", MODULES)
def test_the_same_in_both_orders(name, batch):
    """Output, gradients and statistics; of a contiguous image the output lies in torch's own order, as it always has."""
    plain = torch.randn(batch, CHANNELS, *SIZE, dtype=torch.float64)
    inner = layout.new_image(plain, plain.shape).copy_(plain)
    found = []
    for x in (plain, inner):
        torch.manual_seed(0)
        module = MODULES[name]().double()
        for parameter in module.parameters():
            nn.init.normal_(parameter)
        y = module(x.requires_grad_())
        head = torch.randn(y[0].numel(), 2, dtype=torch.float64)
        gradients = torch.autograd.grad(
            ReadoutLayer("flatten")(y).tanh() @ head, [x, *module.parameters()], torch.ones(batch, 2)
        )
        found.append((y, *gradients, *module.buffers()))
    for ours, wanted in zip(*found, strict=True):
        torch.testing.assert_close(ours, wanted)
    (y, gradient, *_), (of_plain, *_) = found[1], found[0]
    assert of_plain.is_contiguous()
    if name in KEEP:
        assert (y.stride(0), gradient.stride(0)) == (1, 1)


def test_a_whole_stage_is_that_of_torch():
    plain = torch.randn(4, CHANNELS, *SIZE)
    inner = layout.new_image(plain, plain.shape).copy_(plain)
    ours = nn.Sequential(BatchNorm2d(CHANNELS), nn.ReLU(), MaxPool2d(2), ReadoutLayer("flatten"))
    torchs = nn.Sequential(nn.BatchNorm2d(CHANNELS), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    torchs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(inner), torchs(plain))
    for (name, value), wanted in zip(ours.state_dict().items(), torchs.state_dict().values(), strict=True):
        torch.testing.assert_close(value, wanted, msg=name)
    torch.testing.assert_close(ours.eval()(inner[:1]), torchs.eval()(plain[:1]))
