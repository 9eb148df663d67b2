"""Stand-ins for the recorder of CUDA graphs: one that runs the function again, one that does not."""

import weakref
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


class Graphs:
    """A recorder whose functions are not run again, and that knows whether what would replay them is still there."""

    def __init__(self) -> None:
        self._references: list[weakref.ref[Graph]] = []

    def __call__(self, run: Callable[[], Any]) -> tuple[Any, "Graph"]:
        graph = Graph()
        self._references.append(weakref.ref(graph))
        return run(), graph

    @property
    def alive(self) -> int:
        """How many of what was recorded are still there."""
        return sum(reference() is not None for reference in self._references)


class Graph:
    """What replays passes, and holds a GPU's memory."""

    def __call__(self) -> None:
        pass


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested lists, tuples and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)
