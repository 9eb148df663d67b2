"""Dividing the work of a kernel among threads, as many as torch uses."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import torch

LEAST = 500_000
"""Multiply-adds, or values that are copied, that are worth a thread."""
FEW_SPINS = 10_000
"""Programs of convexp set 3000, before torch is imported."""


def undisturbed() -> bool:
    """Return whether threads of convexp's own can work beside torch's: there are none, or they sleep when they are idle.

    By default torch's threads spin for a while after each operation, and would take the processor from those of the kernels.
    """
    sleeping = os.environ.get("OMP_WAIT_POLICY", "").lower() == "passive"
    spins = os.environ.get("GOMP_SPINCOUNT", "")
    return torch.get_num_threads() == 1 or sleeping or (spins.isdecimal() and int(spins) <= FEW_SPINS)


@lru_cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "convexp-native")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has the pool, but not its threads


def divide(run: Callable[[int, int], object], count: int, work: int, unit: int = 1) -> None:
    """Call ``run(first, last)`` for parts of ``range(count)``, side by side.

    Args:
        run: Does a part, without Python's lock.
        count: Number of things to be done.
        work: What all of them take.
        unit: The parts begin at multiples of it.
    """
    blocks = -(-count // unit)
    parts = min(torch.get_num_threads(), blocks, max(1, work // LEAST))
    if parts < 2:
        run(0, count)
        return
    cuts = [min(count, blocks * part // parts * unit) for part in range(parts + 1)]
    pool = _pool(torch.get_num_threads())
    others = [pool.submit(run, first, last) for first, last in zip(cuts[1:-1], cuts[2:], strict=True)]
    run(cuts[0], cuts[1])
    for other in others:
        other.result()
