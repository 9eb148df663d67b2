"""States of callbacks in checkpoints: plain containers, so that a checkpoint can be read without running code."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

PLAIN = (Tensor, str, bytes, int, float, complex, bool, type(None))


def first_problem(state: Any) -> str | None:
    """Say what ``state`` holds that a checkpoint cannot hold, and where; None if it can hold all of it.

    A checkpoint holds tensors, numbers, texts and None, in dictionaries, lists, tuples and sets.
    """
    return next(_problems(state, ""), None)


def states_problem(states: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the states of callbacks by their keys; None if a checkpoint can hold them."""
    found = ((name, first_problem(state)) for name, state in states.items())
    return next((f"the state of the callback {name.partition('{')[0]} {problem}" for name, problem in found if problem), None)


def _problems(value: Any, path: str) -> Iterator[str]:
    if type(value) in PLAIN or isinstance(value, Tensor):
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _problems(key, f"{path}[key]")
            yield from _problems(item, f"{path}[{key!r}]")
    elif type(value) in (list, tuple, set):
        for item in value:
            yield from _problems(item, path)
    else:
        where = f" at {path}" if path else ""
        yield f"holds a {type(value).__module__}.{type(value).__qualname__}{where}; a checkpoint holds tensors and plain values"
