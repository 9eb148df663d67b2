"""What can be found out about a layer that says nothing of itself: whether it is linear, its matrix, its FLOPs.

The layer is called in evaluation as it stands, with copies of its parameters and buffers, so that nothing of it changes.
"""

from itertools import chain

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from convexp.geometry import Size

CHUNK = 256  # unit images in one forward pass: bounds the memory
TOLERANCE = 1e-4  # deviation from linearity that rounding may cause, relative to the largest output


def _responses(layer: nn.Module, images: Tensor) -> Tensor:
    """The outputs of ``layer`` in double precision, without gradients: (N, C, H, W) -> (N, O, H', W')."""
    state = {
        name: tensor.double() if tensor.is_floating_point() else tensor.clone()
        for name, tensor in chain(layer.named_parameters(), layer.named_buffers())
    }
    kind = images.device.type if images.device.type != "meta" else "cpu"
    with torch.no_grad(), torch.autocast(kind, enabled=False):
        return functional_call(layer, state, (images,))


def is_linear(layer: nn.Module, shape: Size, device: torch.device) -> bool:
    """Return whether ``layer`` is linear apart from a bias: ``f(2a - 3b) - f(0) = 2 (f(a) - f(0)) - 3 (f(b) - f(0))``.

    Tested on two random images a and b of ``shape`` (C, H, W), the same at every call. On the meta device nothing is computed,
    and the answer is yes.
    """
    if device.type == "meta":
        return True
    noise = torch.randn(2, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 100
    a, b = noise.to(device)
    f = _responses(layer, torch.stack((a, b, 2 * a - 3 * b, torch.zeros_like(a))))
    rest = f[:3] - f[3]
    return bool((rest[2] - 2 * rest[0] + 3 * rest[1]).abs().max() <= TOLERANCE * rest.abs().max())


def unit_responses(layer: nn.Module, shape: Size, like: Tensor) -> Tensor:
    """Return ``f(e) - f(0)`` for the unit image e of every channel and pixel: (C*H*W, O, H', W'), of the type of ``like``."""
    inputs = torch.Size(shape).numel()
    offset = _responses(layer, like.new_zeros(1, *shape, dtype=torch.float64))
    found: list[Tensor] = []
    for start in range(0, inputs, CHUNK):
        rows = torch.arange(start, min(start + CHUNK, inputs), device=like.device)
        units = like.new_zeros(len(rows), inputs, dtype=torch.float64)
        units[torch.arange(len(rows), device=like.device), rows] = 1
        found.append((_responses(layer, units.reshape(-1, *shape)) - offset).to(like.dtype))
    return torch.cat(found)


def counted_flops(layer: nn.Module, images: Tensor) -> tuple[int, int]:
    """Return the FLOPs of the forward and of the backward pass as torch's counter counts them, for a batch (B, C, H, W).

    The backward pass computes the gradients with respect to the input and all parameters.
    """
    parameters = {name: p.detach().clone().requires_grad_(p.is_floating_point()) for name, p in layer.named_parameters()}
    state = parameters | {name: buffer.clone() for name, buffer in layer.named_buffers()}
    x = images.detach().clone().requires_grad_()
    forward, backward = FlopCounterMode(display=False), FlopCounterMode(display=False)
    with torch.enable_grad():
        with forward:
            y: Tensor = functional_call(layer, state, (x,))
        wanted = [tensor for tensor in (x, *parameters.values()) if tensor.requires_grad]
        with backward:
            torch.autograd.grad(y, wanted, torch.zeros_like(y), allow_unused=True)
    return forward.get_total_flops(), backward.get_total_flops()
