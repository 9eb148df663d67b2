"""The tiles that Triton chooses from are compiled ahead, in many processes: ``speed`` then finds them on disk."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor

from bench_layers import Shape, rivals

from gpu_checks.bench import Bench, set_type
from gpu_checks.rows import Row, failed, not_applicable, true
from gpu_checks.speed import BATCH, jobs


def check(bench: Bench) -> Iterator[Row]:
    """Compile for all shapes and types that are measured."""
    if not bench.on_gpu:
        yield not_applicable("compile", "no GPU")
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(1, (os.cpu_count() or 2) - 4), mp_context=context) as pool:
        futures: dict[str, Future[None]] = {
            f"{shape}, {kind}": pool.submit(compile_tiles, kind, shape) for kind, shape in jobs(bench)
        }
    for name, future in futures.items():
        if error := future.exception():
            yield failed(name, f"{type(error).__name__}: {error}")
    yield true("compiled", not any(future.exception() for future in futures.values()), f"{len(futures)} shapes and types")


def compile_tiles(kind: str, shape: Shape) -> None:
    """Do one step, for which the fastest tiles are looked for."""
    rivals(shape, BATCH, "cuda", set_type(kind))["convexp"]()
