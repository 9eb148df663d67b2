"""CUDA graphs: a training step that is captured and launched again gives what the eager one gives."""

from collections.abc import Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gpu_checks.bench import Bench, apart, captured, ratios, set_type
from gpu_checks.networks import composed
from gpu_checks.rows import Row, held, measured, not_applicable, true

STEPS = 5
TOLERANCE = 1e-4  # the order of sums may differ; in float32, as the local layer's Triton kernels take no float64
WIRINGS = ("local", "conv", "dense")


def check(bench: Bench) -> Iterator[Row]:
    """For the network of every wiring: weights after some steps, and the time of a step."""
    set_type("float32")
    for wiring in WIRINGS:
        if not bench.on_gpu:
            yield not_applicable(f"{wiring}: captured step", "no GPU; what it would be compared with ran")
        yield from one(bench, wiring)
    if bench.on_gpu:
        yield true("random numbers after a step that cannot be captured", random_numbers_afterwards(bench.device))


def random_numbers_afterwards(device: str) -> bool:
    """Whether a function that draws random numbers and waits for the GPU is not captured, and some are drawn afterwards."""
    try:
        captured(lambda: torch.rand(1, device=device).item())
    except RuntimeError:
        return bool(torch.rand(2, device=device).isfinite().all())
    return False


def one(bench: Bench, wiring: str) -> Iterator[Row]:
    """One network, from the same weights: eager, and captured where there is a GPU."""
    network, _, _ = composed(f"model={wiring}", "data=digits", "data.canvas=null", "model.channels=[16,32]")
    network = network.to(bench.device)
    images = torch.randint(0, 256, (128, 1, 8, 8), dtype=torch.uint8, device=bench.device)
    labels = torch.randint(0, 10, (128,), device=bench.device)
    again = network if not bench.on_gpu else deepcopy(network)
    eager, other = (TrainingStep(each, images, labels, bench) for each in (network, again))
    for _ in range(STEPS):
        eager()
    if not bench.on_gpu:
        yield measured(f"{wiring}: eager step", [1e3 * each for each in bench.interleaved({"eager": eager})["eager"]], "ms")
        return
    start = [tensor.clone() for tensor in again.state_dict().values()]
    step = captured(other)
    other.restore(start)
    for _ in range(STEPS):
        step()
    torch.cuda.synchronize()
    yield held(
        f"{wiring}: captured against eager, weights after {STEPS} steps",
        apart(network.parameters(), again.parameters()),
        TOLERANCE,
    )
    found = bench.interleaved({"captured": step, "eager": eager})
    yield measured(f"{wiring}: captured step", [1e3 * each for each in found["captured"]], "ms")
    yield measured(f"{wiring}: captured over eager", ratios(found, "captured", "eager"), "x")


class TrainingStep:
    """Forward, backward and a step of Adam; what it keeps stays where it is."""

    def __init__(self, network: nn.Module, images: Tensor, labels: Tensor, bench: Bench) -> None:
        self.network, self.images, self.labels = network, images, labels
        self.optimizer = torch.optim.Adam(network.parameters(), fused=True, capturable=bench.on_gpu)

    def __call__(self) -> None:
        """Do it."""
        self.optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(self.network(self.images), self.labels).backward()
        self.optimizer.step()

    def restore(self, start: list[Tensor]) -> None:
        """Put weights and moments back, in place, as before the steps that capturing took.

        Args:
            start: The tensors of the network's state before.
        """
        with torch.no_grad():
            for tensor, value in zip(self.network.state_dict().values(), start, strict=True):
                tensor.copy_(value)
            for state in self.optimizer.state.values():
                for value in state.values():
                    value.zero_()
