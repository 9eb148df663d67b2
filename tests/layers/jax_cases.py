"""Largest difference between this layer and ``jax.lax.conv_general_dilated_local``, of output and gradients, by case (JSON)."""

import json
import sys

import jax
import numpy as np
import torch

from convexp.layers import locally_connected, output_size

LETTERS = {1: "H", 2: "HW", 3: "DHW"}


def difference(
    inputs: int, outputs: int, kernel: list[int], size: list[int], stride: list[int], padding: list[int], dilation: list[int]
) -> float:
    """In float64."""
    torch.manual_seed(0)
    dims = len(size)
    units = output_size(size, kernel, stride, padding, dilation)
    x = torch.randn(2, inputs, *size, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(*units, outputs, inputs, *kernel, dtype=torch.float64, requires_grad=True)
    y = locally_connected(x, weight, None, stride, padding, dilation)
    above = torch.randn_like(y)
    ours = [y, *torch.autograd.grad(y, (x, weight), above)]

    def theirs(x: jax.Array, weight: jax.Array) -> jax.Array:
        order = (dims, *range(dims + 1, 2 * dims + 2), *range(dims))
        filters = weight.transpose(order).reshape(outputs, -1, *units)  # (O, C*k1*k2, H', W')
        letters = LETTERS[dims]
        return jax.lax.conv_general_dilated_local(
            x,
            filters,
            stride,
            [(p, p) for p in padding],
            kernel,
            rhs_dilation=dilation,
            dimension_numbers=(f"NC{letters}", f"OI{letters}", f"NC{letters}"),
        )

    value, pull = jax.vjp(theirs, jax.numpy.asarray(x.detach().numpy()), jax.numpy.asarray(weight.detach().numpy()))
    pairs = zip(ours, (value, *pull(jax.numpy.asarray(above.numpy()))), strict=True)
    return max(float(np.abs(a.detach().numpy() - np.asarray(b)).max()) for a, b in pairs)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    print(json.dumps([difference(*case) for case in json.loads(sys.argv[1])]))
