"""The random numbers of a run that takes turns with others in one process: torch's, NumPy's and Python's generators.

Of NumPy's the generator is exchanged, not its state, which would take as long as a small layer. So one thing is lost: the
second of two normal numbers that ``np.random.normal`` has made and not given out yet. Convexp draws none there.
"""

import copy
import os
import random
from typing import Any

import numpy as np
import torch

from convexp.machine.own_states import each_its_own

NUMPY: Any = np.random  # whose type stubs lack two functions
SEEDS = ("PL_GLOBAL_SEED", "PL_SEED_WORKERS")  # environment variables in which Lightning keeps its seed


def _own_state() -> tuple[Any, ...]:
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    seeds = {name: os.environ.get(name) for name in SEEDS}
    return torch.get_rng_state(), gpus, NUMPY.get_bit_generator(), random.getstate(), seeds


def _restore(state: tuple[Any, ...]) -> None:
    cpu, gpus, numpy, python, seeds = state
    torch.set_rng_state(cpu)
    if gpus:
        torch.cuda.set_rng_state_all(gpus)
    NUMPY.set_bit_generator(numpy)
    random.setstate(python)
    for name, seed in seeds.items():
        if seed is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = seed


def _begin() -> None:
    """Give NumPy a generator that no other run has."""
    NUMPY.set_bit_generator(copy.deepcopy(NUMPY.get_bit_generator()))


each_its_own("random numbers", _own_state, _restore, _begin)
