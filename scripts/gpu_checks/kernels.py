"""Triton's kernels of the local layer against ``batched_gemm`` in float64: all cases of the tests, in every type."""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gpu_checks.bench import Bench
from gpu_checks.rows import Row, failed, held, not_applicable

sys.path.append(str(Path(__file__).parents[2] / "tests" / "layers"))

Errors = dict[str, float]
ON_CPU = ("line, all at once", "plane, stride", "plane, padding", "plane, groups", "depthwise")
"""Cases for Triton's interpreter, which takes tens of milliseconds for every program."""


def jobs(bench: Bench) -> dict[tuple[str, str], tuple[Any, Any]]:
    """(type, name) of every case, with its tile: "fixed" for the one of deterministic algorithms, None for the fastest."""
    from triton_cases import CASES, every_tile, in_every_type

    found: dict[tuple[str, str], tuple[Any, Any]] = {}
    for name, case in CASES.items():
        if case.dtype != "float32":
            found[case.dtype, name] = case, "fixed"
        elif bench.on_gpu or name in ON_CPU:
            found |= {(kind, name): (each, "fixed") for kind, each in in_every_type(case).items()}
    if bench.on_gpu:
        for case, run in every_tile():
            found["tf32" if case.tf32 else case.dtype, f"tile {tuple(run.tile) if run else 'found fastest'}"] = case, run
    return found if bench.on_gpu else {job: found[job] for job in found if job[1] in ON_CPU}


def compare(device: str, case: Any, run: Any) -> Errors:
    """Errors in tolerances, by what was computed; in a process of its own, where there are several."""
    import triton_cases

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    return triton_cases.compare(case, device) if run == "fixed" else triton_cases.compare_with_tile(case, run, device)


def check(bench: Bench) -> Iterator[Row]:
    """A row for each type and kernel: the worst of all cases, in tolerances; and a row for each case that raises."""
    from convexp.layers import triton_local

    if not triton_local.AVAILABLE:
        yield not_applicable("kernels", "Triton is missing or too old")
        return
    found: dict[tuple[str, str], Errors] = {}
    wanted = jobs(bench)
    for job, outcome in computed(bench, wanted).items():
        try:
            found[job] = outcome()
        except Exception as error:
            yield failed(", ".join(job), f"{type(error).__name__}: {error}")
    for kind in dict.fromkeys(kind for kind, _ in found):
        for what in ("forward", "input_gradient", "weight_gradient"):
            errors = {name: each[what] for (of, name), each in found.items() if of == kind and what in each}
            if errors:
                yield summary(kind, what, errors)


def summary(kind: str, what: str, errors: Errors) -> Row:
    """The worst of the cases of a type, and the names of those that are wrong."""
    worst = max(errors, key=lambda name: errors[name])
    wrong = [name for name, error in errors.items() if not error <= 1]
    note = f"wrong: {'; '.join(wrong)}" if wrong else f"worst of {len(errors)} cases: {worst}"
    return held(f"{kind}, {what}", errors[worst], 1, "of the tolerance", note)


def computed(bench: Bench, wanted: dict[tuple[str, str], tuple[Any, Any]]) -> dict[tuple[str, str], Any]:
    """What gives the errors of each case; on a GPU in many processes, as compiling takes longest."""
    if not bench.on_gpu:
        return {job: partial(compare, bench.device, *case) for job, case in wanted.items()}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(1, (os.cpu_count() or 2) - 4), mp_context=context) as pool:
        futures: dict[tuple[str, str], Future[Errors]] = {
            job: pool.submit(compare, bench.device, *case) for job, case in wanted.items()
        }
    return {job: future.result for job, future in futures.items()}
