"""Training steps of R networks at once apart from those of the same networks one after another.

    steps    K training steps of R members: forward, backward and optimizer (`convexp.replicas`), no Lightning, no loader

CPU time of this process with one thread; both sides are measured in turn in every round, and the ratio is taken round by round.
`expected` is what `convexp.replicas.worthwhile` says, from counts alone. `arithmetic` is the share of a step alone that its
images take, beyond a step on two of them: the ratio comes below it only as far as the arithmetic itself takes less at once.

    python scripts/bench_replicas.py --rounds 5        (needs MNIST: CONVEXP_DATA, or the folder data/)
"""

import argparse
import json
import os
import sys
import time
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import torch
from results import Figure, store
from torch import Tensor

from convexp.config.compose import compose_config
from convexp.data import Dataset
from convexp.execution import build
from convexp.execution.torch_setup import no_gpu_looked_for
from convexp.machine.heap import keep_freed
from convexp.models import layer_costs, network_cost
from convexp.replicas import Member, Replicas, worthwhile

NETWORKS = {
    "residual of width 8": ["model=own", "model.network._target_=convexp_example.networks.Residual", "+model.network.width=8"],
    "resnet18 of width 4": ["model=resnet18", "model.network.width=4"],
    "resnet18 of width 16": ["model=resnet18", "model.network.width=16"],
    "mlp_mixer of width 16": [
        "model=mlp_mixer",
        "model.network.patch_size=4",
        "model.network.depth=2",
        "model.network.hidden_dim=16",
    ],
    "vit of width 16": [
        "model=vit_tiny",
        "model.network.patch_size=4",
        "model.network.layers=2",
        "model.network.heads=2",
        "model.network.hidden_dim=16",
    ],
}  # that are not of a skeleton: each goes through torch.vmap
EXAMPLE = Path(__file__).parents[1] / "examples" / "convexp-example"  # has the residual network
WIRINGS = ("dense", "local", "low_rank_local", "global_conv", "conv", "mlp")
STEPS = 8  # of one call
FEW = 2  # images; a batch normalisation refuses one


def members(overrides: list[str], replicas: int) -> tuple[Dataset, list[Member]]:
    """Networks that differ in their seed, and their data set."""
    config = compose_config("trainer=cpu", "scheduler=none", *overrides)
    data = build.dataset(config)
    made: list[Member] = []
    for seed in range(replicas):
        torch.manual_seed(seed)
        network = build.network(config, data)
        make_optimizer, make_scheduler = build.optimization(config, network)
        task: Any = build.task(config, network, make_optimizer, make_scheduler)
        made.append(Member(task, make_optimizer(network.parameters())))
    return data, made


def batches(data: Dataset, replicas: int, size: int) -> list[list[tuple[Tensor, Tensor]]]:
    """For each member as many batches as a call has steps, drawn with replacement."""
    images, labels = data.train.first(len(data.train))
    rows = [[torch.randint(len(labels), (size,)) for _ in range(STEPS)] for _ in range(replicas)]
    return [[(images[some], labels[some]) for some in own] for own in rows]


def seconds(work: Any, repeats: int) -> float:
    """CPU seconds of one of ``repeats`` calls."""
    start = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - start) / repeats


def compare(overrides: list[str], size: int, replicas: int, rounds: int) -> dict[str, Any]:
    """Measure both sides in turn."""
    data, apart = members(overrides, replicas)
    _, together = members(overrides, replicas)
    given, few = batches(data, replicas, size), batches(data, replicas, FEW)
    group = Replicas()

    def one_by_one(their_own: list[list[tuple[Tensor, Tensor]]] = given) -> None:
        for member, own in zip(apart, their_own, strict=True):
            member.steps_alone(own)

    def at_once() -> None:
        group.steps(together, given)

    works = one_by_one, at_once, partial(one_by_one, few)
    for work in works:
        work()
    repeats = max(1, round(0.25 / seconds(one_by_one, 1)))
    measured = [[seconds(work, repeats) for work in works] for _ in range(rounds)]
    cost = network_cost(layer_costs(apart[0].network, tuple(given[0][0][0].shape[1:])))
    layers = [layer for layer in cost.layers if layer.parameters]
    ratios = [stacked / alone for alone, stacked, _ in measured]
    return {
        "replicas": replicas,
        "batch": size,
        "alone_ms": median(alone for alone, *_ in measured) / STEPS / replicas * 1e3,
        "ratio": median(ratios),
        "range": [min(ratios), max(ratios)],
        "arithmetic": median(1 - of_few / alone for alone, _, of_few in measured),
        "n": rounds,
        "expected": worthwhile(replicas, size, apart[0].network, layers),
        "parameters": cost.parameters,
        "flops": cost.flops,
    }


def described(row: dict[str, Any]) -> str:
    """A row of the table."""
    low, high = row["range"]
    return (
        f"batch {row['batch']:4} R={row['replicas']}: a step alone {row['alone_ms']:7.2f} ms, at once / alone "
        f"{row['ratio']:.2f} ({low:.2f} to {high:.2f}, n = {row['n']}), arithmetic {row['arithmetic']:.2f}, "
        f"expected faster: {row['expected']}"
    )


def main() -> None:
    """Print the ratios and write them to bench_replicas.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--data", nargs="*", default=["digits", "mnist"], help="data sets (default digits mnist)")
    parser.add_argument("--wirings", nargs="*", default=list(WIRINGS), help="choices of `model` (default all)")
    parser.add_argument(
        "--networks", nargs="*", default=[], choices=list(NETWORKS), help="networks not of a skeleton, in place of models"
    )
    parser.add_argument("--batches", nargs="*", type=int, default=[32, 128], help="batch sizes (default 32 128)")
    parser.add_argument("--replicas", nargs="*", type=int, default=[2, 4, 8], help="numbers of networks (default 2 4 8)")
    parser.add_argument("--out", type=Path, default=Path("outputs"), help="folder for the JSON file (default outputs)")
    arguments = parser.parse_args()
    keep_freed()  # as programs of convexp do
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # as a run does
    sys.path.append(str(EXAMPLE))
    found: list[dict[str, Any]] = []
    models = {wiring: [f"model={wiring}"] for wiring in arguments.wirings} if not arguments.networks else NETWORKS
    for data, name, size, replicas in product(
        arguments.data, arguments.networks or models, arguments.batches, arguments.replicas
    ):
        with no_gpu_looked_for():  # as in a run
            row = compare([f"data={data}", *models[name]], size, replicas, arguments.rounds)
        found.append({"data": data, "model": name, **row})
        print(f"{data:7} {name:22} {described(row)}", flush=True)
    name = "{data} {model}, batch {batch}, {replicas} networks: at once / one after another"
    store(__file__, [Figure(name.format(**row), row["ratio"], "x", row["n"], *row["range"]) for row in found])
    arguments.out.mkdir(parents=True, exist_ok=True)
    result = {"torch": torch.__version__, "cores": os.cpu_count(), "steps": found}
    (arguments.out / "bench_replicas.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
