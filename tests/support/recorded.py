"""A stand-in for the recorder of CUDA graphs, which runs the function again."""

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

from convexp.training.captured_passes import WARM_UP


def recorded(run: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
    """Do as ``cuda_graph`` does: what is replayed writes to the tensors of the recorded call."""
    for _ in range(WARM_UP):
        run()
    result = run()

    def replay() -> None:
        for own, new in zip(_tensors(result), _tensors(run()), strict=True):
            own.copy_(new)

    return result, replay


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested lists, tuples and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)
