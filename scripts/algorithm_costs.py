"""The costs by which the locally connected layer chooses its algorithm on a CPU (COSTS of convexp/layers/algorithms.py).

They are fitted to the times of every algorithm on the shapes of the wide table, which are stored in a file for each machine on
which they were measured, tests/layers/algorithm_times/MACHINE.json. To algorithms in C all machines weigh the same, however
fast each is. Those in Python are fitted to the first machine alone: no costs serve the libraries that torch calls on both. The
tests hold the costs against the fit, and the choices against the times.

    python scripts/algorithm_costs.py               (fits the stored times, and prints costs and what the present choices lose)
    python scripts/algorithm_costs.py --measure 3   (measures this machine before, in so many rounds on one core)
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from local_shapes import Shape, Step, cases, interleaved
from results import command, file_name, machine
from scipy.optimize import nnls

from convexp.layers import layout
from convexp.layers.algorithms import ALGORITHMS, IN_C, OPERATIONS, Counts, candidates, counts
from convexp.layers.algorithms import nanoseconds as estimate
from convexp.layers.by_shape import MODULES
from convexp.layers.call_geometry import Geometry
from convexp.machine.heap import keep_freed

TIMES = Path(__file__).parents[1] / "tests" / "layers" / "algorithm_times"
BATCHES = (1, 2, 4, 8, 9, 12, 13, 15, 16, 24, 32, 128)
LARGEST = 3e9
"""Multiply-adds of one forward pass above which a shape is left out: seconds for every call."""

HOPELESS = 64
"""Products of one tap of a unit above which a product by taps is not measured: it takes minutes, and is far behind."""


def operation_times(shape: Shape, batch: int, rounds: int) -> dict[str, dict[str, float]]:
    """Median milliseconds by operation and algorithm, in float32."""
    g = shape.geometry(batch)
    x = layout.new_image(torch.empty(0), (batch, g.in_channels, *g.input_size)).normal_()
    grad = layout.new_image(torch.empty(0), (batch, g.out_channels, *g.output_size)).normal_()
    weight = layout.new_weight(torch.empty(0), g.weight_shape).normal_()
    hopeless = g.unit_channels * g.group_channels > HOPELESS
    left_out = {"tap_products"} if hopeless else set[str]()
    left_out |= {"many_groups"} if g.groups == 1 else set()
    modules = {name: module for name, module in MODULES.items() if name not in left_out}
    arguments = {"forward": (x, weight, None, g), "weight_gradient": (grad, x, g), "input_gradient": (grad, weight, g)}
    found: dict[str, dict[str, float]] = {}
    for operation in OPERATIONS:
        steps: dict[str, Step] = {
            name: partial(getattr(module, operation), *arguments[operation]) for name, module in modules.items()
        }
        first = {name: taken[0] for name, taken in interleaved(steps, 1).items()}
        near = {name: step for name, step in steps.items() if first[name] < 10 * min(first.values())}
        found[operation] = first | {name: median(taken) for name, taken in interleaved(near, rounds).items()}
    return found


def measure(rounds: int) -> dict[str, Any]:
    """Measure every shape with every batch: the table that is stored."""
    shapes: dict[Shape, dict[int, list[list[float | None]]]] = {}
    for shape, batch in cases(BATCHES, LARGEST):
        times = operation_times(shape, batch, rounds)
        table = [[times[operation].get(algorithm) for algorithm in ALGORITHMS] for operation in OPERATIONS]
        shapes.setdefault(shape, {})[batch] = [[each and float(f"{each:.3g}") for each in row] for row in table]
        print(f"{shape}, batch {batch}", flush=True)
    return {
        "what": f"milliseconds of CPU time of one thread, float32, median of {rounds} rounds: a row for each operation",
        "command": command(__file__, ["--measure", str(rounds)]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {**machine(), "torch": torch.__version__},
        "operations": OPERATIONS,
        "algorithms": ALGORITHMS,
        "shapes": [
            {
                "name": str(shape),
                "geometry": {key: value for key, value in asdict(shape.geometry(1)).items() if key != "batch"},
                "milliseconds": table,
            }
            for shape, table in shapes.items()
        ],
    }


def rows(table: dict[str, Any]) -> Iterable[tuple[Geometry, list[dict[str, float]]]]:
    """Each call of the stored table, and for each operation the milliseconds of the algorithms that were measured."""
    for shape in table["shapes"]:
        sizes = {name: tuple(value) if isinstance(value, list) else value for name, value in shape["geometry"].items()}
        for batch, times in shape["milliseconds"].items():
            found = [zip(table["algorithms"], row, strict=True) for row in times]
            yield Geometry(int(batch), **sizes), [{key: value for key, value in row if value is not None} for row in found]


def tables() -> list[dict[str, Any]]:
    """The stored tables, one for each machine."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(TIMES.glob("*.json"))]


def nanoseconds(tables: Sequence[dict[str, Any]]) -> list[list[tuple[Geometry, list[dict[str, float]]]]]:
    """The calls of each table, in nanoseconds of the first machine.

    How fast a machine is says the geometric mean of the best times of its calls.
    """
    calls = [list(rows(table)) for table in tables]
    speeds = [np.mean([np.log(min(each.values())) for _, times in own for each in times]) for own in calls]
    scales = [1e6 * float(np.exp(speeds[0] - speed)) for speed in speeds]
    return [
        [(g, [{algorithm: scale * taken for algorithm, taken in each.items()} for each in times]) for g, times in own]
        for own, scale in zip(calls, scales, strict=True)
    ]


def fit(tables: Sequence[dict[str, Any]]) -> dict[str, dict[str, Counts]]:
    """Nanoseconds of every count, by operation and algorithm that was measured.

    They are the least squares of the relative errors, without negative costs.
    """
    first, *others = nanoseconds(tables)
    everywhere = [*first, *chain.from_iterable(others)]
    found: dict[str, dict[str, Counts]] = {}
    for index, operation in enumerate(OPERATIONS):
        found[operation] = {}
        for algorithm in ALGORITHMS:
            known = [
                (g, times[index])
                for g, times in (everywhere if algorithm in IN_C else first)
                if algorithm in times[index] and algorithm in candidates(g, in_c=True)
            ]
            if not known:
                continue
            taken = np.array([times[algorithm] for _, times in known])
            done = np.array([counts(algorithm, operation, g) for g, _ in known], dtype=float)
            best = np.array([min(times.values()) for _, times in known])
            weight = np.minimum(1, 3 * best / taken)[:, None]  # what is far behind need not be known well
            costs, _ = nnls(weight * done / taken[:, None], weight[:, 0])
            found[operation][algorithm] = Counts(*(float(f"{cost:.2g}") for cost in costs))
    return found


def regret(geometry: Geometry, times: Sequence[dict[str, float]], in_c: bool) -> float:
    """Time of the three operations of a call by those algorithms that are chosen of the measured ones, over the shortest."""
    chosen = best = 0.0
    for operation, each in zip(OPERATIONS, times, strict=True):
        known = {name: taken for name, taken in each.items() if name in candidates(geometry, in_c=in_c)}
        chosen += known[min(known, key=lambda name: estimate(name, operation, geometry))]
        best += min(taken for name, taken in each.items() if in_c or name not in IN_C)
    return chosen / best


def main() -> None:
    """Measure if that is asked for, fit, and print the costs as they stand in ``convexp/layers/algorithms.py``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", type=int, metavar="ROUNDS", help="measure the times of this machine, in so many rounds")
    given = parser.parse_args()
    if given.measure:
        torch.set_num_threads(1)
        keep_freed()  # as programs of convexp do: else the times hang on which tensors the kernel has to map anew
        made = json.dumps(measure(given.measure), ensure_ascii=False) + "\n"
        (TIMES / f"{file_name(machine())}.json").write_text(made, encoding="utf-8")
    for operation, of in fit(tables()).items():
        print(f'    "{operation}": {{')
        for algorithm, costs in of.items():
            print(f'        "{algorithm}": {Counts.__name__}({", ".join(f"{cost:g}" for cost in costs)}),')
        print("    },")
    print("Time by the present choices over that by the fastest algorithms, mean and largest:")
    for table in tables():
        for in_c in (True, False):
            found = [regret(g, times, in_c) for g, times in rows(table)]
            where = f"{table['machine']['processor']}, with{'' if in_c else 'out'} kernels in C"
            print(f"{where}: {np.mean(found):.3f}, {max(found):.2f} ({len(found)} calls)")


if __name__ == "__main__":
    main()
