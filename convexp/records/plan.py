"""study.json: what a sweep set out to do, so that a report knows its axes, and what is missing."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from convexp.files.json_files import read_format, write_json
from convexp.files.locks import lock
from convexp.records.folder import is_busy

FORMAT = 1
FILE = "study.json"
LOCK = ".study.lock"


@dataclass(frozen=True)
class PlannedRun:
    """A run: its folder in the sweep's, its identity (None if its settings are wrong) and its values on the axes."""

    folder: str
    identity: str | None
    point: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A sweep.

    Attributes:
        name: of the study; None for a sweep by ``-m``.
        question: that the study asks.
        axes: every setting that differs between the runs, seeds included, with its values in the order of the grid.
        compare: a setting and the value that all others of it are compared with.
        runs: in the order of the grid.
        command: what the command line said.
    """

    name: str | None
    question: str | None
    axes: dict[str, list[Any]]
    compare: dict[str, Any]
    runs: list[PlannedRun] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


def write_plan(root: Path, plan: Plan) -> None:
    """Keep the plan in ``root``, together with what still counts of the earlier ones."""
    with lock(root / LOCK):
        before = read_plan(root)
        if before is not None:
            plan = _joined(plan, before, root)
        if plan != before:
            write_json(root / FILE, {"format": FORMAT, **asdict(plan)})


def _joined(plan: Plan, before: Plan, root: Path) -> Plan:
    """The plan with the runs of ``before`` that it does not name and that were begun; while a sweep is at them, all of them."""
    named = {run.folder for run in plan.runs}
    earlier = [run for run in before.runs if run.folder not in named and run.identity is not None]
    if not any(is_busy(root / run.folder) for run in before.runs):
        earlier = [run for run in earlier if (root / run.folder).is_dir()]
    if not earlier:
        return plan
    axes = {k: _union(plan.axes.get(k, []), before.axes.get(k, [])) for k in {**plan.axes, **before.axes}}
    return replace(plan, axes=axes, runs=[*plan.runs, *earlier])


def _union(first: list[Any], second: list[Any]) -> list[Any]:
    return [*first, *(value for value in second if value not in first)]


def read_plan(root: Path) -> Plan | None:
    """The plan kept in ``root``; None if there is none or it is damaged.

    Raises:
        ConvexpError: if a newer convexp wrote it.
    """
    found = read_format(root / FILE, FORMAT)
    if found is None:
        return None
    try:
        return TypeAdapter(Plan).validate_python({k: v for k, v in found.items() if k != "format"})
    except ValidationError:
        return None


def settings_of(axis: str) -> tuple[str, ...]:
    """The settings of an axis: mostly one, several (``"model.readout, model.pool"``) if they move together."""
    return tuple(setting.strip() for setting in axis.split(","))


def spread(point: dict[str, Any]) -> dict[str, Any]:
    """A point by its single settings."""
    found: dict[str, Any] = {}
    for axis, value in point.items():
        settings = settings_of(axis)
        found |= zip(settings, value, strict=False) if len(settings) > 1 and isinstance(value, list) else {axis: value}
    return found


def sweep_root(run: Path) -> Path | None:
    """The folder above a run's that holds the plan of its sweep; None for a run by itself."""
    return next((folder for folder in run.parents if (folder / FILE).is_file()), None)
