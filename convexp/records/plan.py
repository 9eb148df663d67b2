"""study.json: what a sweep set out to do, so that a report knows its axes and what is missing."""

from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from convexp.files.json_files import read_struct, write_struct
from convexp.files.locks import locked
from convexp.records.statuses import busy_among
from convexp.records.values import unique

FORMAT = 1
FILE = "study.json"
LOCK = ".study.lock"


class PlannedRun(Struct, frozen=True):
    """A run of a sweep.

    Attributes:
        folder: Name of its folder in the folder of the sweep.
        identity: Its identity; None if its settings are wrong.
        point: Its value on each axis.
    """

    folder: str
    identity: str | None
    point: dict[str, Any]


class Plan(Struct, frozen=True):
    """A sweep.

    Attributes:
        name: Name of the study; None for a sweep by ``-m``.
        question: The question that the study asks; None for a sweep by ``-m``.
        axes: Every setting that differs between the runs, seeds included, with its values in the order of the grid.
        compare: A setting and the value of it that all others are compared with; empty for the first group of runs.
        runs: The runs in the order of the grid.
        command: The arguments of the command line.
        claims: What papers claim of these runs, each as ``study.claims`` has it.
    """

    name: str | None
    question: str | None
    axes: dict[str, list[Any]]
    compare: dict[str, Any]
    runs: list[PlannedRun] = field(default_factory=list[PlannedRun])
    command: list[str] = field(default_factory=list[str])
    claims: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def write_plan(root: Path, plan: Plan) -> None:
    """Write the plan to the folder ``root`` of its sweep, together with those runs of earlier plans that still count."""
    with locked(root / LOCK):
        before = read_plan(root)
        if before is not None:
            plan = _joined(plan, before, root)
        if plan != before:
            write_struct(root / FILE, plan, FORMAT)


def _joined(plan: Plan, before: Plan, root: Path) -> Plan:
    """Return the plan with the runs of ``before`` that it does not name.

    While another sweep runs in the folder all of these count; otherwise only those that were started.
    """
    named = {run.folder for run in plan.runs}
    earlier = [run for run in before.runs if run.folder not in named and run.identity is not None]
    if earlier and not busy_among(root / run.folder for run in before.runs):
        earlier = [run for run in earlier if (root / run.folder).is_dir()]
    if not earlier:
        return plan
    axes = {k: unique([*plan.axes.get(k, []), *before.axes.get(k, [])]) for k in {**plan.axes, **before.axes}}
    return replace(plan, axes=axes, runs=[*plan.runs, *earlier])


def read_plan(root: Path) -> Plan | None:
    """Read the plan of the sweep in ``root``; None if there is none or it is damaged.

    Raises:
        ConvexpError: If a newer version of convexp wrote it.
    """
    return read_struct(root / FILE, Plan, FORMAT)


def settings_of(axis: str) -> tuple[str, ...]:
    """Return the settings of an axis: mostly one, several (``"model.readout, model.pool"``) if they vary together."""
    return tuple(setting.strip() for setting in axis.split(","))


def single_settings(point: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a point by single settings: those of an axis with several settings are taken apart."""
    found: dict[str, Any] = {}
    for axis, value in point.items():
        settings = settings_of(axis)
        found |= zip(settings, value, strict=False) if len(settings) > 1 and isinstance(value, list) else {axis: value}
    return found
