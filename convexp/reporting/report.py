"""The report of a folder of runs: everything that the page, the tables and the terminal show."""

from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from convexp.errors import ConvexpError
from convexp.records import RunRecord, collect
from convexp.records.plan import Plan, read_plan
from convexp.records.search import SearchRecord, read_search
from convexp.records.settings import display_value, lookup, printable
from convexp.reporting.compare import Comparison, compare, compare_along
from convexp.reporting.groups import Group, drop_duplicates, group_runs
from convexp.reporting.provenance import Provenance, provenance
from convexp.reporting.unfinished import Unfinished, unfinished
from convexp.reporting.warnings import find_warnings


@dataclass(frozen=True)
class Report:
    """Everything that the page, the tables and the terminal show.

    Attributes:
        title: Question of the study, or the name of the folder if there is no study.
        root: Folder of the runs.
        plan: Plan of the study; None if the folder has none.
        groups: Groups of finished runs.
        comparisons: Comparisons of the groups with their baselines.
        along: Comparisons along the numeric axes of the study.
        unfinished: Runs that are in no group, with the reasons.
        provenance: Settings and environment of all runs, and warnings.
        runs: Records of all runs, as they were read.
        search: What a search has found; None if the runs are of none.
    """

    title: str
    root: Path
    plan: Plan | None
    groups: list[Group]
    comparisons: list[Comparison]
    unfinished: list[Unfinished]
    provenance: Provenance
    runs: list[RunRecord] = field(default_factory=list[RunRecord])
    search: SearchRecord | None = None
    along: list[Comparison] = field(default_factory=list[Comparison])


def build_report(root: Path) -> Report:
    """Read all runs below ``root`` and compare them.

    Raises:
        ConfigError: If there is no such folder, or no run in it.
    """
    runs = collect(root)
    plan, plan_warnings = _read_plan(root)
    search, search_warnings = _read_search(root)
    counted, duplicates = drop_duplicates([run for run in runs if run.is_finished], plan)
    groups = group_runs(counted, plan)
    warnings = [*plan_warnings, *search_warnings, *find_warnings(counted, duplicates, plan), *_missing_baselines(groups, plan)]
    return Report(
        title=_title(root, runs, plan),
        root=root,
        plan=plan,
        groups=groups,
        comparisons=[] if search else compare(groups, plan),  # trials have no baseline
        unfinished=unfinished(root, runs, plan),
        provenance=provenance(runs, warnings),
        runs=runs,
        search=search,
        along=[] if search else compare_along(groups, plan),
    )


def _missing_baselines(groups: list[Group], plan: Plan | None) -> list[str]:
    wanted = plan.compare if plan else {}
    return [
        f"there is no comparison with the baseline {axis}={display_value(value)}, because none of its runs is finished"
        for axis, value in wanted.items()
        if groups and all(group.point.get(axis) != value for group in groups)
    ]


def _read_plan(root: Path) -> tuple[Plan | None, list[str]]:
    """The plan, if it is valid, and a warning if a newer version of convexp wrote it."""
    try:
        plan = read_plan(root)
    except ConvexpError as error:
        return None, [f"the plan of the study cannot be read: {error}"]
    if plan is None:
        return None, []
    texts = {key: text and printable(str(text)) for key, text in (("name", plan.name), ("question", plan.question))}
    return replace(plan, **texts), []


def _read_search(root: Path) -> tuple[SearchRecord | None, list[str]]:
    """What a search has found, if there was one, and a warning if a newer version of convexp wrote it."""
    try:
        return read_search(root), []
    except ConvexpError as error:
        return None, [f"what the search has found cannot be read: {error}"]


def _title(root: Path, runs: list[RunRecord], plan: Plan | None) -> str:
    """The question of the study if all runs belong to one study; otherwise the name of the folder."""
    questions = {plan.question} if plan else {lookup(run.config, "study.question") for run in runs}
    question = questions.pop() if len(questions) == 1 else None
    return str(question or (plan and plan.name) or printable(root.resolve().name))
