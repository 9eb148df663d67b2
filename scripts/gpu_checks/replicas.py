"""Replicas: stacked steps of several networks at once against the steps of each alone."""

import importlib.util
from collections.abc import Iterator
from typing import Any

import torch

from gpu_checks.bench import Bench, ratios, set_type
from gpu_checks.graphs import apart
from gpu_checks.networks import GREY, composed
from gpu_checks.rows import Row, held, measured, not_applicable

REPLICAS, STEPS = 8, 5
TOLERANCE = 1e-4  # of the length of all weights
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
    if reason := why_not(together):
        yield not_applicable(f"{wiring}: {REPLICAS} at once", reason)
        return
    batches, replicas = batches_of(bench), Replicas()
    replicas.steps(together, batches)
    for member, own in zip(alone, batches, strict=True):
        member.steps_alone(own)
    apart_by = max(apart(a.network, b.network) for a, b in zip(together, alone, strict=True))
    yield held(f"{wiring}: weights after {STEPS} steps, at once against alone", apart_by, TOLERANCE)
    found = bench.interleaved(
        {
            "at once": lambda: replicas.steps(together, batches),
            "one": lambda: alone[0].steps_alone(batches[0]),
            "one after another": lambda: [m.steps_alone(own) for m, own in zip(alone, batches, strict=True)],
        }
    )
    goal = MOST if bench.on_gpu else None
    yield measured(f"{wiring}: {REPLICAS} at once over one", ratios(found, "at once", "one"), "x", most=goal)
    yield measured(f"{wiring}: {REPLICAS} at once over one after another", ratios(found, "at once", "one after another"), "x")


def members(bench: Bench, wiring: str) -> list[Any]:
    """Networks with weights of their own, each with its task and optimizer; the same ones at every call."""
    from convexp.replicas import Member

    from convexp.execution import build

    made: list[Any] = []
    for seed in range(REPLICAS):
        channels = bench.sized("model.channels=[16,32]", "model.channels=[4,4]")
        network, _, config = composed(f"model={wiring}", *GREY, channels, seed=seed)
        make_optimizer = build.optimization(config, network)[0]
        task: Any = build.task(config, network.to(bench.device), make_optimizer)
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
