"""Random layers that fit, and their matrices from the definition."""

import math
from itertools import product
from typing import Any

import torch
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor, nn

from convexp.layers import extent

few = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 99)
MODES = ("zeros", "reflect", "replicate", "circular")

Arguments = dict[str, Any]


@st.composite
def arguments(
    draw: st.DrawFn, modes: tuple[str, ...] = MODES, centred: bool = False, dims: int | None = 2, grouped: bool = False
) -> Arguments:
    """A layer that fits; ``centred``: with every unit's centre inside the image, as a global convolution needs."""
    mode = draw(st.sampled_from(modes))
    dims = draw(st.sampled_from((1, 2, 2, 3))) if dims is None else dims
    sizes: list[tuple[int, ...]] = []
    for _ in range(dims):
        k, d, s = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 3))
        p = draw(st.integers(0, d * (k - 1) // 2 if centred else 3 if dims < 3 else 1))
        least = max(1, extent(k, d) - 2 * p, {"reflect": p + 1, "circular": p}.get(mode, 1))
        sizes.append((draw(st.integers(least, least + (3 if dims < 3 else 1))), k, s, p, d))
    i, k, s, p, d = zip(*sizes, strict=True)
    groups = draw(st.integers(1, 3)) if grouped else 1
    shape = {
        "in_channels": groups * draw(st.integers(1, 2)),
        "out_channels": groups * draw(st.integers(1, 3 if groups == 1 else 2)),
    }
    window = {"input_size": i, "kernel_size": k, "stride": s, "padding": p, "dilation": d, "padding_mode": mode}
    return shape | window | ({"groups": groups} if grouped else {})


any_layer = arguments(dims=None, grouped=True)


def make(layer: type[nn.Module], geometry: Arguments, **more: Any) -> Any:
    return layer(**geometry | more).double()


def images(layer: Any, n: int = 3) -> Tensor:
    return torch.randn(n, layer.in_channels, *layer.input_size, dtype=torch.float64)


def matrix(layer: Any) -> Tensor:
    """(O*H'*W', C*H*W), by pushing unit vectors through."""
    shape = (layer.in_channels, *layer.input_size)
    units = torch.eye(math.prod(shape), dtype=torch.float64).reshape(-1, *shape)
    with torch.no_grad():
        return (layer(units) - layer(torch.zeros(1, *shape, dtype=torch.float64))).flatten(1).T


def border(k: int, n: int, mode: str) -> int | None:
    """The pixel of ``n`` that stands at position ``k``, perhaps outside."""
    if mode == "circular":
        return k % n
    if mode == "replicate":
        return min(max(k, 0), n - 1)
    if mode == "reflect":
        return abs(k) if k < n else 2 * (n - 1) - k
    return k if 0 <= k < n else None


def windowed_matrix(layer: Any, kernel: Tensor) -> Tensor:
    """The matrix from the definition, tap by tap; kernel (H', W', O, C/groups, k1, k2)."""
    made = torch.zeros(layer.out_channels, *layer.output_size, layer.in_channels, *layer.input_size, dtype=torch.float64)
    outputs, inputs = layer.out_channels // layer.groups, layer.in_channels // layer.groups
    for unit in product(*(range(n) for n in layer.output_size)):
        for tap in product(*(range(n) for n in layer.kernel_size)):
            pixel = [
                border(s * o + d * t - p, n, layer.padding_mode)
                for s, o, d, t, p, n in zip(
                    layer.stride, unit, layer.dilation, tap, layer.padding, layer.input_size, strict=True
                )
            ]
            if None in pixel:
                continue
            for group in range(layer.groups):
                o, c = slice(group * outputs, (group + 1) * outputs), slice(group * inputs, (group + 1) * inputs)
                made[(o, *unit, c, *pixel)] += kernel[(*unit, o, slice(None), *tap)]
    return made.flatten(1 + len(layer.output_size)).flatten(0, -2)


def tie(local: Any, conv: Any) -> None:
    """The convolution's kernel and bias at every location."""
    with torch.no_grad():
        local.kernel.copy_(conv.weight.expand_as(local.kernel))
        if local.bias is not None and conv.bias is not None:
            local.bias.copy_(conv.bias.reshape(-1, *(1,) * conv.dims).expand_as(local.bias))


def close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
