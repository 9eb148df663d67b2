"""From a folder of runs to all that a report shows."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from convexp.errors import ConvexpError
from convexp.records import Result
from convexp.records.index import some
from convexp.records.plan import Plan, read_plan
from convexp.records.settings import lookup, printable, shown
from convexp.reporting.comparisons import Comparison, compare
from convexp.reporting.groups import Group, group, once
from convexp.reporting.provenance import Provenance, provenance
from convexp.reporting.unfinished import Unfinished, unfinished
from convexp.reporting.warnings import doubts

__all__ = ["Report", "Unfinished", "report"]


@dataclass(frozen=True)
class Report:
    """All that the page, the tables and the terminal show.

    Attributes:
        title: the question of the study, or the name of the folder.
        root: the folder.
        plan: of the study; None if the folder has none.
        groups: of finished runs.
        comparisons: of the groups.
        unfinished: runs that are in no group, and why.
        provenance: of all runs.
        runs: all of them, as they were found.
    """

    title: str
    root: Path
    plan: Plan | None
    groups: list[Group]
    comparisons: list[Comparison]
    unfinished: list[Unfinished]
    provenance: Provenance
    runs: list[Result] = field(default_factory=list)


def report(root: Path) -> Report:
    """Read all runs below ``root`` and compare them.

    Raises:
        ConfigError: if there is no such folder, or no run in it.
    """
    runs = some(root)
    plan, unread = _plan(root)
    counted, twice = once([run for run in runs if run["state"] == "finished"], plan)
    groups = group(counted, plan)
    return Report(
        title=_title(root, runs, plan),
        root=root,
        plan=plan,
        groups=groups,
        comparisons=compare(groups, plan),
        unfinished=unfinished(root, runs, plan),
        provenance=provenance(runs, [*unread, *doubts(counted, twice, plan), *_without_baseline(groups, plan)]),
        runs=runs,
    )


def _without_baseline(groups: list[Group], plan: Plan | None) -> list[str]:
    wanted = plan.compare if plan else {}
    return [
        f"nothing is compared with {axis}={shown(value)}, the baseline: no run of it is finished"
        for axis, value in wanted.items()
        if groups and all(group.point.get(axis) != value for group in groups)
    ]


def _plan(root: Path) -> tuple[Plan | None, list[str]]:
    """The plan, if it is as a sweep writes it; and a sentence if a newer convexp wrote it."""
    try:
        plan = read_plan(root)
    except ConvexpError as error:
        return None, [f"what was planned is not known: {error}"]
    if plan is None or not _is_sound(plan):
        return None, []
    texts = {key: text and printable(str(text)) for key, text in (("name", plan.name), ("question", plan.question))}
    return replace(plan, **texts), []


def _is_sound(plan: Plan) -> bool:
    parts: list[tuple[Any, type]] = [(plan.axes, dict), (plan.compare, dict), *((run.point, dict) for run in plan.runs)]
    return all(isinstance(part, kind) for part, kind in [*parts, *((run.folder, str) for run in plan.runs)])


def _title(root: Path, runs: list[Result], plan: Plan | None) -> str:
    """What the study asks, if it is one; the name of the folder."""
    asked = {plan.question} if plan else {lookup(run.get("config"), "study.question") for run in runs}
    question = asked.pop() if len(asked) == 1 else None
    return str(question or (plan and plan.name) or printable(root.resolve().name))
