"""What a report keeps of a result: checked, as the file may be anybody's, and small, as there may be ten thousand."""

import sys
from typing import Any, TypeGuard

from convexp.records.result import Result
from convexp.records.settings import is_number, printable

SECTIONS = ("versions", "git", "hardware", "data")
TEXTS = ("state", "identity", "name", "started", "ended", "loss", "error")  # error: lines
NETWORK = ("parameters", "flops", "width")
MAPS = {"accuracy": (1, 2), "radius": (1,)}  # of the shift map, with their dimensions; no other probe's are in a report
MOST_DIMS = 2
DEEPEST = 50  # sections in sections; what comes after reads them by recursion
LARGEST = 1e100  # of a number: the squares of ten thousand such can be added up


class Keeper:
    """Makes the kept part of results, in which equal sections are one object."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def kept(self, result: Result) -> Result:
        """The part of ``result`` that a report needs; ``too_large`` are the metrics that no mean can be taken of, left out.

        Raises:
            ValueError: saying what is wrong, if it is no result of a run.
        """
        if not isinstance(result.get("state"), str):
            raise ValueError("it has no state")
        found: Result = {key: str(result[key]) for key in TEXTS if result.get(key) is not None}
        found |= {key: self._shared(_section(result, key)) for key in SECTIONS}
        found["seconds"] = {key: v for key, v in _section(result, "seconds").items() if is_moderate(v)}
        found["mendable"] = result.get("mendable") is True
        if result["state"] == "finished" or result.get("config") is not None:
            found |= {"config": self._config(result), "seed": _whole(result, "seed")}
        if result["state"] == "finished":
            network = _section(result, "network")
            found["network"] = self._shared({key: _number(network, key) for key in NETWORK})
        return found | _metrics(result) | _maps(result)

    def _config(self, result: Result) -> dict[str, Any]:
        config = _section(result, "config")
        if not isinstance(_section(config, "model").get("name"), str):
            raise ValueError("its configuration names no model")
        return {sys.intern(printable(key)): self._shared(value) for key, value in config.items()}

    def _shared(self, value: Any) -> Any:
        """The first section that was equal to this one, its texts printable."""
        key = repr(value)
        if key not in self._known:
            self._known[key] = _printable(value, DEEPEST)
        return self._known[key]


def _metrics(result: Result) -> dict[str, Any]:
    numbers = {sys.intern(printable(key)): v for key, v in _section(result, "metrics").items() if is_number(v)}
    metrics = {key: v for key, v in numbers.items() if is_moderate(v)}
    too_large = {"too_large": [key for key in numbers if key not in metrics]} if len(metrics) < len(numbers) else {}
    return {"metrics": metrics, **too_large}


def _maps(result: Result) -> dict[str, Any]:
    maps = _section(_section(_section(result, "probes"), "shift_map"), "maps")
    kept = {key: maps[key] for key, dims in MAPS.items() if _dims(maps.get(key)) in dims}
    return {"probes": {"shift_map": {"maps": kept}} if maps else {}}


def _printable(value: Any, depth: int) -> Any:
    if depth == 0:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        return {printable(key): _printable(v, depth - 1) for key, v in value.items()}
    if isinstance(value, list):
        return [_printable(v, depth - 1) for v in value]
    return printable(value) if isinstance(value, str) else value


def _section(values: dict[str, Any], key: str) -> dict[str, Any]:
    """A dictionary; an empty one if it is missing."""
    value = values.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{key} is not a section")
    return value


def _whole(values: dict[str, Any], key: str) -> int:
    value = values.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{key} is not a whole number")
    return value


def _number(values: dict[str, Any], key: str) -> float:
    value = values.get(key)
    if not is_moderate(value):
        raise ValueError(f"{key} is not a number, or too large a one")
    return value


def is_moderate(value: Any) -> TypeGuard[float]:
    """Whether a value is a number that can be squared and added up; neither infinite nor NaN is one."""
    return is_number(value) and abs(value) <= LARGEST


def _dims(value: Any, most: int = MOST_DIMS) -> int | None:
    """Of numbers, and null where there is none, in lists in lists: how deep they lie; None if it is something else."""
    if value is None or is_moderate(value):
        return 0
    if not isinstance(value, list) or not value or most == 0:
        return None
    depths = {_dims(v, most - 1) for v in value}
    depth = depths.pop()
    return None if depths or depth is None else depth + 1
