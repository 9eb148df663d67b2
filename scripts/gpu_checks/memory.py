"""Peak memory of a training step of every wiring, against the lower bound that convexp computes before a run."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.nn import functional as F

from convexp.execution.footprint import needs
from convexp.models import network_cost
from convexp.models.timing import peak_bytes
from gpu_checks.bench import Bench, set_type
from gpu_checks.networks import GREY, composed
from gpu_checks.rows import Row, measured, true

NOT_COUNTED = {
    "local": "gradients of activations and copies in another order",
    "conv": "gradients of activations and cuDNN's workspace",
    "dense": "gradients of activations",
    "low_rank_local": "gradients of activations, the basis' outputs and cuDNN's workspace",
    "global_conv": "gradients of activations, spectra of images and kernels, and cuFFT's workspace",
}
"""What the bound leaves out, by wiring."""


def check(bench: Bench) -> Iterator[Row]:
    """The peak is never below the bound, and how far above it is."""
    set_type("float32")
    for wiring in NOT_COUNTED:
        predicted, peak = one(bench, wiring, bench.sized(512, 16))
        yield true(f"{wiring}: at least what is predicted", peak >= predicted, f"{predicted / 1e6:.4g} MB")
        yield measured(
            f"{wiring}: peak over prediction",
            [peak / predicted],
            "x",
            f"peak {peak / 1e6:.4g} MB; {NOT_COUNTED[wiring]} not counted",
        )


def one(bench: Bench, wiring: str, batch: int) -> tuple[int, int]:
    """Bytes that are predicted, and those that a step takes with all that was there before: weights, images, optimizer."""
    channels = bench.sized("model.channels=[32,64]", "model.channels=[4,4]")
    network, layers, config = composed(f"model={wiring}", *GREY, channels, f"data.batch_size={batch}")
    network = network.to(bench.device)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    images = torch.randint(0, 256, (batch, 1, 28, 28), dtype=torch.uint8, device=bench.device)
    labels = torch.randint(0, 10, (batch,), device=bench.device)

    def step() -> None:
        loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad(set_to_none=True)  # as Lightning does: until here the last gradients are kept
        loss.backward()
        optimizer.step()

    for _ in range(2):  # the optimizer's state is made by the first, and kernels are chosen
        step()
    weights = list(network.parameters())
    states = [value for state in optimizer.state.values() for value in state.values()]
    kept: list[Any] = [*weights, *(weight.grad for weight in weights), *states, images]
    there = sum(tensor.nbytes for tensor in kept)
    return sum(needs(config, network_cost(layers).parameters, layers, batch).values()), there + peak_bytes(step, bench.on_gpu)
