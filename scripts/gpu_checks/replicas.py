"""Replicas: stacked steps of several networks at once against the steps of each alone, on a GPU all with CUDA graphs."""

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from convexp.training.captured_passes import CapturedPasses
from convexp.training.over_processes import Step
from convexp.training.step import Steps
from convexp.training.tasks.task import TaskBatch
from gpu_checks.bench import Bench, apart, ratios, set_type
from gpu_checks.networks import GREY, composed
from gpu_checks.rows import Row, held, measured, not_applicable

REPLICAS, STEPS = 8, 5
TOLERANCE = 1e-8
"""Of the length of all weights, in float64. In float32 the first steps of Adam say little: where a gradient is zero but for
rounding, a step goes the whole way with either sign; in float64 such gradients are small beside Adam's epsilon."""
MOST = 2.0  # times the time of one network, on a GPU
WIRINGS = ("local", "conv", "dense")


def check(bench: Bench) -> Iterator[Row]:
    """For the networks of every wiring: weights after some steps, and the time of steps of all at once."""
    if importlib.util.find_spec("convexp.replicas") is None:
        yield not_applicable("replicas", "this version stacks no replicas")
        return
    set_type("float32")
    for wiring in WIRINGS:
        yield from one(bench, wiring)


def one(bench: Bench, wiring: str) -> Iterator[Row]:
    """One wiring, on batches of images as MNIST's."""
    from convexp.replicas import Replicas, why_not

    together, alone = members(bench, wiring), members(bench, wiring)
    if reason := why_not(together, None):
        yield not_applicable(f"{wiring}: {REPLICAS} at once", reason)
        return
    batches, replicas, steps_alone = batches_of(bench), Replicas(), [alone_steps(bench, member) for member in alone]
    error = difference(members(bench, wiring, torch.float64), members(bench, wiring, torch.float64), batches)
    yield held(f"{wiring}: weights after {STEPS} steps in float64, at once against alone", error, TOLERANCE)
    found = bench.interleaved(
        {
            "at once": lambda: replicas.steps(together, batches),
            "one": lambda: steps_alone[0](batches[0]),
            "one after another": lambda: [steps(own) for steps, own in zip(steps_alone, batches, strict=True)],
        }
    )
    goal = MOST if bench.on_gpu else None
    yield measured(f"{wiring}: {REPLICAS} at once over one", ratios(found, "at once", "one"), "x", most=goal)
    yield measured(f"{wiring}: {REPLICAS} at once over one after another", ratios(found, "at once", "one after another"), "x")


def alone_steps(bench: Bench, member: Any) -> Callable[[list[TaskBatch]], list[Step]]:
    """What trains one network on batches as a run does: on a GPU its passes are a CUDA graph."""
    if not bench.on_gpu:
        return member.steps_alone
    passes = CapturedPasses(member.task, member.passes)
    step = Steps(member.optimizer, member.clip, ())
    return lambda batches: [step(partial(passes, batch)) for batch in batches]


def difference(together: list[Any], alone: list[Any], batches: list[list[tuple[torch.Tensor, torch.Tensor]]]) -> float:
    """Train both, and return how far they lie apart then: the largest difference of two networks, over the length of one."""
    from convexp.replicas import Replicas

    Replicas().steps(together, batches)
    for member, own in zip(alone, batches, strict=True):
        member.steps_alone(own)
    return max(apart(a.network.parameters(), b.network.parameters()) for a, b in zip(together, alone, strict=True))


def members(bench: Bench, wiring: str, dtype: torch.dtype = torch.float32) -> list[Any]:
    """Networks with weights of their own, each with its task and optimizer; the same ones at every call."""
    from convexp.execution import build
    from convexp.replicas import Member

    made: list[Any] = []
    for seed in range(REPLICAS):
        channels = bench.sized("model.channels=[16,32]", "model.channels=[4,4]")
        network, _, config = composed(f"model={wiring}", *GREY, channels, seed=seed)
        make_optimizer = build.optimization(config, network)[0]
        task: Any = build.task(config, network.to(bench.device, dtype), make_optimizer)
        task.cuda_graph = True
        made.append(Member(task.train(), make_optimizer(network.parameters())))
    return made


def batches_of(bench: Bench) -> list[list[tuple[torch.Tensor, torch.Tensor]]]:
    """Some batches for each network."""
    generator = torch.Generator().manual_seed(0)
    size = bench.sized(128, 16)

    def batch() -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.randint(0, 256, (size, 1, 28, 28), dtype=torch.uint8, generator=generator)
        return images.to(bench.device), torch.randint(0, 10, (size,), generator=generator).to(bench.device)

    return [[batch() for _ in range(STEPS)] for _ in range(REPLICAS)]
