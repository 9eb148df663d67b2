"""study.json: what a sweep set out to do, so that a report knows its axes, and what is missing."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from convexp.json_file import read_format, write_json

FORMAT = 1
FILE = "study.json"


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
    """Keep the plan in ``root``, together with the runs of earlier plans that it does not name and that were begun."""
    before = read_plan(root)
    named = {run.folder for run in plan.runs}
    earlier = [run for run in (before.runs if before else []) if run.folder not in named and run.identity is not None]
    begun = [run for run in earlier if (root / run.folder).is_dir()]
    if before is not None and begun:
        axes = {k: _union(plan.axes.get(k, []), before.axes.get(k, [])) for k in {**plan.axes, **before.axes}}
        plan = replace(plan, axes=axes, runs=[*plan.runs, *begun])
    if plan != before:
        write_json(root / FILE, {"format": FORMAT, **asdict(plan)})


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


def sweep_root(run: Path) -> Path | None:
    """The folder above a run's that holds the plan of its sweep; None for a run by itself."""
    return next((folder for folder in run.parents if (folder / FILE).is_file()), None)
