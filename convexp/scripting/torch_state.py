"""Torch's settings and random states in the process of a caller: a run finds the defaults, the caller finds their own again."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
from lightning_fabric.utilities.rank_zero import rank_zero_only

from convexp.execution.torch_defaults import torch_defaults
from convexp.scripting.caller import State, unchanged


@contextmanager
def torch_of_caller() -> Generator[None]:
    """A context in which torch is as in a new process, apart from its number of threads; afterwards it is as it was before."""
    with unchanged(STATES), torch_defaults(), torch.inference_mode(False), torch.enable_grad():
        _put_deterministic((False, False))
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.benchmark = torch.backends.cudnn.deterministic = False
        yield


def _subnormals_are_zero() -> bool:
    smallest = torch.full((), torch.finfo(torch.float32).tiny, dtype=torch.float32, device="cpu")
    return (smallest / 2).item() == 0


def _deterministic() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _put_deterministic(before: tuple[bool, bool]) -> None:
    if before != _deterministic():  # torch imports its compiler to say so there, too, which takes a second
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def _cuda_states() -> list[torch.Tensor] | None:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None


def _put_cuda_states(before: list[torch.Tensor] | None) -> None:
    """Restore the states of GPUs; if there were none yet, they follow the seed of the CPU, which is restored already."""
    if before is None:
        torch.cuda.manual_seed_all(torch.initial_seed())
    else:
        torch.cuda.set_rng_state_all(before)


def _cudnn() -> tuple[bool, bool]:
    return torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic


def _put_cudnn(before: tuple[bool, bool]) -> None:
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = before


def _rank() -> Any:
    return getattr(rank_zero_only, "rank", None)


def _put_rank(before: Any) -> None:
    rank_zero_only.rank = before  # pyright: ignore[reportFunctionMemberAccess]


STATES = (
    State(torch.get_rng_state, torch.set_rng_state),
    State(_cuda_states, _put_cuda_states),
    State(torch.get_num_threads, torch.set_num_threads),
    State(_subnormals_are_zero, torch.set_flush_denormal),
    State(_deterministic, _put_deterministic),
    State(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    State(_cudnn, _put_cudnn),
    State(_rank, _put_rank),
)
