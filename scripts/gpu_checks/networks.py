"""Networks that convexp did not write: a training step of each on the device, in float32 and with mixed precision."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from convexp.config import Config
from convexp.config.compose import compose_config
from convexp.execution.network_plan import plan_network
from convexp.execution.pixel_statistics import UnitStatistics
from convexp.models import LayerCost
from convexp.training.callbacks import RandomState
from gpu_checks.bench import Bench, set_type
from gpu_checks.rows import Row, held, measured, true

NETWORKS = {
    "resnet18": ("model=resnet18", "model.network.width=8"),
    "vit_tiny": ("model=vit_tiny", "model.network.layers=2"),
    "mlp_mixer": ("model=mlp_mixer", "model.network.depth=2"),
}
GREY = ("data=digits", "data.image_shape=[1,28,28]", "data.canvas=null")
"""Settings of images with the shape of MNIST's, of which none is read."""
COLOUR = ("data=digits", "data.image_shape=[3,32,32]", "data.canvas=null")
"""The same with the shape of CIFAR-10's."""
TOLERANCE = {"float32": 1e-3, "bf16-mixed": 5e-2}
"""Of the loss, against the same step on the CPU in float32."""


def composed(*overrides: str, seed: int = 0) -> tuple[nn.Module, list[LayerCost], Config]:
    """The network of a configuration, its weights drawn from a seed, and its layers' costs; no images are read."""
    config = compose_config(*overrides)
    torch.manual_seed(seed)
    network, layers = plan_network(config).build(UnitStatistics(config.data.input_shape[0]))
    return network, layers, config


def check(bench: Bench) -> Iterator[Row]:
    """Loss of the first step against the CPU's, finite gradients, and the time of a step; then the random state."""
    for name, small in NETWORKS.items():
        overrides = small[:1] if bench.on_gpu else small
        images, labels = batch(bench.sized(128, 8))
        expected = step_of(composed(*overrides, *COLOUR)[0], images, labels, "cpu", "float32")[0]
        for kind, most in TOLERANCE.items():
            set_type("float32")
            network = composed(*overrides, *COLOUR)[0].to(bench.device)
            loss, finite = step_of(network, images.to(bench.device), labels.to(bench.device), bench.device, kind)
            yield held(f"{name}, {kind}: loss against the CPU's", abs(loss - expected) / expected, most)
            yield true(f"{name}, {kind}: finite gradients", finite)
            times = timed(bench, network, images, labels, kind)
            yield measured(f"{name}, {kind}: forward and backward", times, "ms")
    yield random_state(bench)


def batch(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images as CIFAR-10's, of noise, and labels."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (size, 3, 32, 32), dtype=torch.uint8, generator=generator)
    return images, torch.randint(0, 10, (size,), generator=generator)


def loss_of(network: nn.Module, images: torch.Tensor, labels: torch.Tensor, device: str, kind: str) -> torch.Tensor:
    """The loss, in mixed precision if ``kind`` says so."""
    mixed: Any = torch.autocast(device, torch.bfloat16) if kind == "bf16-mixed" else nullcontext()
    with mixed:
        return F.cross_entropy(network(images), labels)


def step_of(network: nn.Module, images: torch.Tensor, labels: torch.Tensor, device: str, kind: str) -> tuple[float, bool]:
    """The loss of a step, and whether all its gradients and the weights after a step of Adam are finite."""
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    loss = loss_of(network, images, labels, device, kind)
    loss.backward()
    grads = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    optimizer.step()
    finite = all(bool(tensor.isfinite().all()) for tensor in [*grads, *network.parameters()])
    return float(loss.detach()), finite and bool(grads)


def timed(bench: Bench, network: nn.Module, images: torch.Tensor, labels: torch.Tensor, kind: str) -> list[float]:
    """Milliseconds of forward and backward."""
    images, labels = images.to(bench.device), labels.to(bench.device)

    def step() -> None:
        loss_of(network, images, labels, bench.device, kind).backward()

    return [1e3 * seconds for seconds in bench.interleaved({"step": step})["step"]]


def random_state(bench: Bench) -> Row:
    """What the device draws after its random state was restored, as a resumed run does."""
    callback = RandomState()
    state = callback.state_dict()
    first = torch.rand(100, device=bench.device)
    callback.load_state_dict(state)
    return true("random state restored", torch.equal(first, torch.rand(100, device=bench.device)))
